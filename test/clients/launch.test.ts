// Launches from the signed address to the last statement, in a real Chromium: the content comes from another origin and uses the
// libraries that content uses, unmodified. What they read of an address whatever the learner is called: test/launch-address.test.ts.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContext, Frame, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exampleCertificate } from '../support/https.ts'
import type { LaunchParameters } from '../support/itslearning-signer.ts'
import { statusOf } from './client.ts'
import { type Lesson, type LessonLibrary, type ReadLaunch, styles } from './lesson.ts'
import { homePage, type LaunchSetting, person, startLaunchSetting } from './launch-setting.ts'
import { lessonIn, lessons } from './lessons.ts'

const browser = lessons()
let setting: LaunchSetting
const libraries = Object.keys(styles) as readonly LessonLibrary[]

beforeAll(async () => {
  const starting = startLaunchSetting()
  await browser.start()
  setting = await starting
  await Promise.all(
    libraries.map((library) => {
      const where = ['--url', browser.address(library), '--activity-id', `https://content.example.org/${library}`]
      return setting.content(`With ${library}`, '--style', styles[library], ...where)
    }),
  )
})
afterAll(async () => {
  await browser.stop()
  await setting?.program.stop()
})

interface Opened {
  readonly page: Page
  readonly lesson: Lesson
  /** On the way to the content. */
  readonly entrance: string
}

const instances = new Map<string, LaunchParameters>()

/** Somebody new in a use of the content at the platform, which a teacher adds the first time. */
async function placed(name: string): Promise<LaunchParameters> {
  const { UserId = '', ...instance } = person()
  const somebody = { ...instance, ...instances.get(name), UserId }
  if (instances.has(name)) return somebody
  instances.set(name, instance)
  const teacher = await browser.learner()
  const page = await teacher.newPage()
  await page.goto(setting.address('add', { ...somebody, ...asTeacher }))
  await page.getByLabel(name, { exact: true }).check()
  await page.getByRole('button', { name: 'Choose' }).click()
  await page.getByText(`Learners open ${name}.`).waitFor()
  await teacher.close()
  return somebody
}

const asTeacher = { Permissions: 'Read, Participate, Evaluate, Modify', Role: 'Staff', UserId: '7' }

async function open(learner: BrowserContext, somebody: LaunchParameters, library: LessonLibrary): Promise<Opened> {
  const page = await learner.newPage()
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  await page.goto(setting.address('view', somebody))
  expect(page.url()).toContain(`${browser.address(library)}?`)
  return { page, lesson: lessonIn(page, library), entrance: asked.find((url) => url.includes('/launch/s/')) ?? '' }
}

/** Of what somebody else gets with the key of a lesson that runs in a browser. */
async function statusElsewhere({ endpoint, authorization }: ReadLaunch): Promise<number> {
  const address = new URL('statements?limit=1', endpoint.replace(/\/?$/, '/'))
  return (await fetch(address, { headers: { authorization, 'x-experience-api-version': '1.0.3' } })).status
}

describe.each(libraries)('content with %s', (library) => {
  it('is begun, with a key for this browser, left, taken up where it was left, scored and closed', async () => {
    const somebody = await placed(`With ${library}`)
    const learner = await browser.learner()
    const first = await open(learner, somebody, library)
    // The signed address, with who the learner is, stays behind.
    expect(await first.page.evaluate('document.referrer')).toBe('')
    const read = await first.lesson.begin()
    expect(read.actor).toEqual({ objectType: 'Agent', account: { homePage, name: somebody['UserId'] } })
    expect(read.registration).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(read.endpoint).toMatch(new RegExp(`^${setting.program.url}/xapi/?$`))
    expect(await first.lesson.resume()).toBeNull()
    await first.lesson.save({ page: 3 })
    expect(await statusElsewhere(read)).toBe(401)
    expect(await first.lesson.resume()).toEqual({ page: 3 })

    const second = await open(learner, somebody, library)
    const again = await second.lesson.begin()
    expect(again).toEqual({ ...read, authorization: expect.not.stringMatching(read.authorization) })
    expect(await second.lesson.resume()).toEqual({ page: 3 })
    // The first was left for good when the second began.
    expect(await statusOf(first.lesson.save({ page: 1 }))).toBe(401)
    await second.lesson.score(0.9)
    await second.lesson.close()
    expect(await statusOf(second.lesson.save({ page: 1 }))).toBe(401)
    expect(await statusOf(first.lesson.score(1))).toBe(401)

    const third = await open(learner, somebody, library)
    await third.lesson.begin()
    expect(await third.lesson.resume()).toEqual({ page: 3 })
    const stored = await setting.statements(read.registration)
    const passed = stored.filter(({ verb }) => (verb as { id: string }).id.endsWith('/passed'))
    expect(passed).toMatchObject([{ actor: read.actor, result: { score: { scaled: 0.9 }, success: true } }])
    expect(stored.filter(({ verb }) => (verb as { id: string }).id.endsWith('/terminated'))).toHaveLength(1)
    await learner.close()
  })
})

describe('a page of content that is loaded anew', () => {
  it.each(['tincanjs', 'xapiwrapper', 'xapi'] as const)(
    'goes on with %s: the key stands in its address',
    async (library) => {
      const learner = await browser.learner()
      const { page, lesson } = await open(learner, await placed(`With ${library}`), library)
      const read = await lesson.begin()
      await lesson.save({ page: 2 })
      await page.reload()
      expect(await lesson.begin()).toEqual(read)
      expect(await lesson.resume()).toEqual({ page: 2 })
      await learner.close()
    },
  )

  it.each(['xapiCmi5', 'rusticiCmi5'] as const)(
    'with %s needs a way back: the key was handed out once',
    async (library) => {
      const learner = await browser.learner()
      const { page, lesson, entrance } = await open(learner, await placed(`With ${library}`), library)
      const { registration } = await lesson.begin()
      await lesson.save({ page: 2 })
      await page.reload()
      await expect(lesson.begin()).rejects.toThrow()
      // In this browser the entrance leads in once more: another session of the same registration.
      await page.goto(entrance)
      expect(await lesson.begin()).toMatchObject({ registration })
      expect(await lesson.resume()).toEqual({ page: 2 })
      await learner.close()
    },
  )
})

describe('an address that the platform signed', () => {
  it('leads into one session when it is opened twice in one browser, and nowhere in another', async () => {
    const somebody = await placed('With tincanjs')
    const address = setting.address('view', somebody)
    const learner = await browser.learner()
    const keys: string[] = []
    for (let click = 0; click < 2; click++) {
      const page = await learner.newPage()
      await page.goto(address)
      keys.push((await lessonIn(page, 'tincanjs').begin()).authorization)
    }
    expect(keys[1]).toBe(keys[0])
    const other = await browser.learner()
    const page = await other.newPage()
    const complaints: string[] = []
    page.on('console', (message) => complaints.push(message.text()))
    const response = await page.goto(address)
    expect(response?.status()).toBe(403)
    expect(await page.textContent('body')).toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/)
    // Nothing on the page but what its policy allows.
    expect(complaints.filter((text) => !text.includes('403'))).toEqual([])
    await Promise.all([learner.close(), other.close()])
  })
})

describe('content', () => {
  it('learns what the platform said of the learner and the place, and no names', async () => {
    const learner = await browser.learner()
    const { page, lesson } = await open(learner, await placed('With tincanjs'), 'tincanjs')
    const { authorization } = await lesson.begin()
    const told = await page.evaluate(
      async ([address, authorization]) =>
        (await fetch(address!, { headers: { authorization: authorization! } })).json(),
      [`${setting.program.url}/launch/own/data`, authorization],
    )
    expect(told).toMatchObject({ mode: 'normal', language: 'en-GB', data: { timeZone: 'Europe/London' } })
    expect(JSON.stringify(told)).not.toContain('Zoë')
    await learner.close()
  })

  it('with parameters of its own is understood, though tincanjs repeats them with every request', async () => {
    const where = ['--url', `${browser.address('tincanjs')}?lang=en`, '--activity-id', 'https://content.example.org/en']
    await setting.content('In English', '--style', 'tincan', ...where)
    const learner = await browser.learner()
    const { page, lesson } = await open(learner, await placed('In English'), 'tincanjs')
    const asked: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url()).search))
    const { endpoint, authorization } = await lesson.begin()
    await lesson.save({ page: 1 })
    expect(asked).toEqual([expect.stringContaining('lang=en')])
    const status = (query: string): Promise<number> =>
      page.evaluate(
        async ([address, authorization]) => {
          const headers = { authorization: authorization!, 'x-experience-api-version': '1.0.2' }
          return (await fetch(address!, { headers })).status
        },
        [`${endpoint}statements?limit=1&${query}`, authorization],
      )
    expect([await status('lang=en'), await status('colour=red')]).toEqual([200, 400])
    await learner.close()
  })
})

describe.each(['tincan', 'cmi5'] as const)('the sample lesson, opened as %s', (style) => {
  it('is taken up where it was left, answered and closed', async () => {
    const where = ['--url', `${setting.program.url}/launch/lesson/index.html`]
    await setting.content(`On keys, ${style}`, '--style', style, ...where, '--activity-id', `urn:example:keys-${style}`)
    const somebody = await placed(`On keys, ${style}`)
    const learner = await browser.learner()
    const page = await learner.newPage()
    const complaints: string[] = []
    page.on('console', (message) => complaints.push(`${message.text()} ${message.location().url}`))
    const click = (name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click()
    const isSaved = (): Promise<unknown> => page.waitForResponse((response) => response.request().method() === 'PUT')

    await page.goto(setting.address('view', somebody))
    const registration = new URL(page.url()).searchParams.get('registration') ?? ''
    await click('Next')
    await click('Next')
    await Promise.all([isSaved(), page.getByLabel('Mine, in this lesson').check()])
    await page.reload()
    await page.getByText('You are where you left off.').waitFor()
    expect(await page.getByLabel('Mine, in this lesson').isChecked()).toBe(true)
    await page.getByLabel('Until the lesson is closed, or forgotten').check()
    await click('Finish')
    await page.getByText('100 %').waitFor()
    await click('Close the lesson')
    await page.getByText(/is over/).waitFor()

    const verbs = (await setting.statements(registration)).map(({ verb }) =>
      (verb as { id: string }).id.split('/').at(-1),
    )
    const said = ['initialized', 'completed', 'passed', 'terminated']
    expect(verbs.toReversed().filter((verb) => said.includes(verb!))).toEqual(
      // Loaded anew, content without a session of its own says again that it has begun.
      style === 'tincan' ? ['initialized', ...said] : said,
    )
    // A document that is not there yet is all that the browser has to say.
    expect(complaints.filter((text) => !/404.*(bookmark|cmi5LearnerPreferences)/.test(text))).toEqual([])
    await learner.close()
  })
})

// Cookies of other sites in a frame are Chromium's strictest case: Secure, SameSite=None, Partitioned, or not at all.
describe('in a frame of the platform’s page, over HTTPS', () => {
  let secure: LaunchSetting
  const files = mkdtempSync(join(tmpdir(), 'claviger-certificate-'))
  beforeAll(async () => {
    const names = { CLAVIGER_TLS_CERT: join(files, 'cert.pem'), CLAVIGER_TLS_KEY: join(files, 'key.pem') }
    writeFileSync(names.CLAVIGER_TLS_CERT, exampleCertificate.cert)
    writeFileSync(names.CLAVIGER_TLS_KEY, exampleCertificate.key)
    secure = await startLaunchSetting({ env: names })
  })
  afterAll(async () => {
    await secure?.program.stop()
    rmSync(files, { recursive: true, force: true })
  })

  it('a teacher chooses, and the browser of a learner is known again', async () => {
    const options = ['--url', browser.address('xapiCmi5'), '--activity-id', 'https://content.example.org/framed']
    await secure.content('Framed', '--style', 'cmi5', ...options)
    const platform = new URL(browser.address('xapiCmi5')).origin
    await secure.run('platform', 'update', 'campus', '--frame-ancestors', platform)
    const learner = await browser.learner()
    const page = await learner.newPage()
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    const framed = async (address: string): Promise<Frame> => {
      await page.goto(`${platform}/a-page-of-the-platform`)
      await page.setContent(`<iframe src="${address.replaceAll('&', '&amp;')}"></iframe>`)
      return page.frames()[1]!
    }
    const somebody = person()
    const choice = await framed(secure.address('add', { ...somebody, ...asTeacher }))
    await choice.getByLabel('Framed').check()
    await choice.getByRole('button', { name: 'Choose' }).click()
    await choice.getByText('Learners open Framed.').waitFor()

    const frame = await framed(secure.address('view', somebody))
    expect(frame.url()).toContain(`${browser.address('xapiCmi5')}?`)
    const lesson = lessonIn(frame, 'xapiCmi5')
    const { registration } = await lesson.begin()
    await lesson.save({ page: 4 })
    await frame.goto(asked.find((url) => url.includes('/launch/s/')) ?? '')
    expect(await lesson.begin()).toMatchObject({ registration })
    expect(await lesson.resume()).toEqual({ page: 4 })
    await learner.close()
  })
})
