// Unmodified client libraries from npm in pages of a real Chromium, from another origin than the started program.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeAttachments } from './attachments.ts'
import { chromium } from './chromium.ts'
import { describeDescriptions } from './descriptions.ts'
import { describeDocuments } from './documents.ts'
import { scriptOf } from './guide.ts'
import { sharedProgram } from './setting.ts'
import { describeRights } from './rights.ts'
import { learner, statement } from './samples.ts'
import { describeStatements } from './statements.ts'

const program = sharedProgram()
const pages = chromium()
beforeAll(() => Promise.all([program.start(), pages.start()]))
afterAll(() => Promise.all([program.stop(), pages.stop()]))

const setting = program.at('/xapi/')
const libraries = (['xapiwrapper', 'tincanjs', 'xapiOverAxios', 'xapiOverFetch'] as const).map(pages.library)

describe.each(libraries)('$name', (library) => {
  describeStatements(library, setting)
  describeDocuments(library, setting)
  describeDescriptions(library, setting)
  describeAttachments(library, setting)
  describeRights(library, setting)
})

describe('in a page', () => {
  const state = {
    of: 'state',
    activityId: `https://content.example.org/${'x'.repeat(2100)}`,
    agent: learner('anna'),
  } as const

  it('tincanjs asks by POST what makes too long an address', async () => {
    const client = pages.library('tincanjs').connect(setting.account(await setting.keys.create('isolated')))
    const asked: string[] = []
    const page = await pages.page('tincanjs')
    page.on('request', (request) => asked.push(`${request.method()} ${new URL(request.url()).search}`))
    await client.save(state, 'progress', { page: 3 })
    expect(await client.findDocument(state, 'progress')).toMatchObject({ content: { page: 3 } })
    expect(asked.filter((one) => one.startsWith('POST'))).toEqual(['POST ?method=PUT', 'POST ?method=GET'])
  })

  it('xapiwrapper stores and resumes without a callback, as courses do when their window closes', async () => {
    const { endpoint, key, secret } = setting.account(await setting.keys.create('isolated'))
    const page = await pages.page('xapiwrapper')
    const resumed = await page.evaluate(
      ([endpoint, key, secret]) => {
        const { ADL } = globalThis as unknown as { ADL: { XAPIWrapper: Record<string, (...a: unknown[]) => unknown> } }
        ADL.XAPIWrapper['changeConfig']?.({ endpoint, user: key, password: secret })
        const place = ['https://content.example.org/course', { mbox: 'mailto:anna@example.org' }, 'progress', null]
        ADL.XAPIWrapper['sendState']?.(...place, { page: 3 })
        return ADL.XAPIWrapper['getState']?.(...place)
      },
      [endpoint, key, secret],
    )
    expect(resumed).toEqual({ page: 3 })
  })

  it('the guide’s script runs, and runs again', async () => {
    const account = setting.account(await setting.keys.create('isolated'))
    for (const _ of ['first', 'again']) {
      const page = await pages.open('xapiwrapper')
      const printed: string[] = []
      page.on('console', (message) => printed.push(message.text()))
      await page.evaluate(`{${scriptOf('xapiwrapper', account)}}`)
      // Beside what the browser says of a profile that is not there yet.
      await expect.poll(() => printed).toEqual(expect.arrayContaining(['resumed at 3', 'profile saved', 'attached']))
    }
    const { statements } = await pages.library('tincanjs').connect(account).query({})
    expect(statements).toMatchObject([{ attachments: [{ length: 14 }] }, { attachments: [{ length: 14 }] }])
  })

  it('a launched course takes endpoint, key and learner from its address', async () => {
    const key = await setting.keys.create('isolated')
    const { endpoint } = setting.account(key)
    const { actor, ...rest } = statement()
    const launch = new URLSearchParams({
      endpoint,
      auth: `Basic ${Buffer.from(`${key.key}:${key.secret}`).toString('base64')}`,
      actor: JSON.stringify(actor),
    })
    const page = await pages.open('xapiwrapper', `?${launch.toString().replaceAll('+', '%20')}`)
    await page.evaluate((rest) => {
      const { ADL } = globalThis as unknown as { ADL: { XAPIWrapper: Record<string, (...a: unknown[]) => unknown> } }
      ADL.XAPIWrapper['sendStatement']?.(rest)
    }, rest)
    const client = pages.library('tincanjs').connect(setting.account(key))
    expect((await client.query({ agent: learner('anna') })).statements).toMatchObject([{ actor, ...rest }])
  })
})
