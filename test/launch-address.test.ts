// The addresses of launched content, read by the real libraries that stand in the content: each unmodified, its script run in a
// page that has nothing but its address. What they do with them afterwards is in test/clients/launch.test.ts.

import { readFileSync } from 'node:fs'
import { createContext, runInContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { cmi5Address, tincanAddress } from '../src/faces/launch/address.ts'
import type { Json } from '../src/core/storage.ts'
import { type LessonLibrary, scripts } from './clients/lesson.ts'
import { inPackages } from './clients/library-pages.ts'

const registration = 'ec531277-b57b-4c15-8d91-d292c5b2b8f7'
const homePage = 'https://school.example/a?b=c&d'
const key = 'ses_1'
const secret = 'a:b+/=~'
const authorization = `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`

/** What would become something else with a reader that takes `+`, `=`, `&`, `%`, quotes or JSON for more than text. */
const learners = [
  '556660',
  'true',
  '1e999',
  'Zoë Šč € 😀',
  "O'Hesvik & Sons",
  'a+b c=d&e%41#f?g/h\\i"j',
  '</script><b>',
  '{"name":"x"}',
  '\u2028\u00ad\u202e',
]
const activities = [
  'https://content.example/course?part=1&more=+%20#x',
  'urn:example:läser+1',
  'tag:example.org,2026:1',
]
/** The content's own query and fragment. */
const places = ['', '?lang=en', '?lang=en&flag&q=a+b%20c', '#/page?y=1', '?lang=en#top']

const cases = [
  ...learners.map((name) => ({ name, activityId: activities[0]!, place: '' })),
  ...activities.map((activityId) => ({ name: 'anna', activityId, place: '' })),
  ...places.map((place) => ({ name: 'anna', activityId: activities[0]!, place })),
].map(({ name, activityId, place }) => {
  const actor = { objectType: 'Agent', account: { homePage, name } }
  const url = `https://content.example/course/index.html${place}`
  const common = { url, endpoint: 'https://lrs.example/xapi/', actor, registration, activityId }
  return {
    called: `${name} in ${activityId} at ${place || 'the bare address'}`,
    actor,
    activityId,
    tincan: tincanAddress({ ...common, key, secret }),
    cmi5: cmi5Address({ ...common, fetchUrl: 'https://lrs.example/launch/fetch/abc-_1' }),
  }
})

/** Runs a library's script and then `code` in a page at the address; answers through JSON, as other realms have other prototypes. */
function read(library: LessonLibrary, address: string, code: string): Json {
  const page: Record<string, unknown> = { URL, URLSearchParams, console: silent, setTimeout, clearTimeout, TextEncoder }
  Object.assign(page, {
    window: page,
    self: page,
    location: new URL(address),
    // They parse addresses with an anchor.
    document: { createElement: () => Object.assign(new URL(address), { setAttribute: () => undefined }) },
    navigator: { userAgent: 'a page' },
    // With what tells tincanjs that this browser may ask other origins.
    XMLHttpRequest: class {
      readonly withCredentials = false
    },
  })
  const script = readFileSync(inPackages(scripts[library]), 'utf8')
  const context = createContext(page)
  runInContext(script, context)
  return JSON.parse(runInContext(`JSON.stringify(${code})`, context) as string) as Json
}
const silent = { log: () => undefined, warn: () => undefined, error: () => undefined }

describe.each(cases)('the launch of $called', ({ actor, activityId, tincan, cmi5 }) => {
  it('by tincanjs', () => {
    const code = `(() => {
      const { actor, activity, registration, recordStores: [store], context } = new TinCan({ url: location.href })
      return { actor: actor.asVersion('1.0.2'), activityId: activity.id, registration, within: context.registration,
        endpoint: store.endpoint, auth: store.auth }
    })()`
    expect(read('tincanjs', tincan, code)).toEqual({
      actor,
      activityId,
      registration,
      within: registration,
      endpoint: 'https://lrs.example/xapi/',
      auth: authorization,
    })
  })

  it('by xapiwrapper', () => {
    const { actor: read_, ...rest } = read('xapiwrapper', tincan, 'ADL.XAPIWrapper.lrs') as Record<string, Json>
    expect(JSON.parse(read_ as string)).toEqual(actor)
    expect(rest).toMatchObject({
      endpoint: 'https://lrs.example/xapi/',
      auth: authorization,
      activity_id: activityId,
      registration,
    })
  })

  it('by @xapi/xapi', () => {
    expect(read('xapi', tincan, 'XAPI.getTinCanLaunchData()')).toMatchObject({
      endpoint: 'https://lrs.example/xapi/',
      auth: authorization,
      actor,
      activity_id: activityId,
      registration,
    })
  })

  const meant = {
    endpoint: 'https://lrs.example/xapi/',
    fetch: 'https://lrs.example/launch/fetch/abc-_1',
    actor,
    registration,
    activityId,
  }
  it('by @xapi/cmi5', () => {
    expect(read('xapiCmi5', cmi5, 'new Cmi5().launchParameters')).toMatchObject(meant)
    expect(read('xapiCmi5', cmi5, 'Cmi5.isCmiAvailable')).toBe(true)
  })

  it('by @rusticisoftware/cmi5', () => {
    const code = `(() => {
      const cmi5 = new Cmi5(location.href)
      return { endpoint: cmi5.getEndpoint() + '/', fetch: cmi5.getFetch(), actor: cmi5.getActor(),
        registration: cmi5.getRegistration(), activityId: cmi5.getActivityId() }
    })()`
    expect(read('rusticiCmi5', cmi5, code)).toEqual(meant)
  })
})

it('with nothing of ours to be sent along by tincanjs, which repeats with every request what it does not know', () => {
  const code = `new TinCan({ url: location.href }).recordStores[0].extended ?? null`
  for (const { tincan, called } of cases.filter(({ tincan }) => !tincan.includes('lang='))) {
    expect([called, read('tincanjs', tincan, code)]).toEqual([called, null])
  }
  // The content's own query is: why a content has parameters that are passed over.
  expect(read('tincanjs', cases.find(({ tincan }) => tincan.includes('flag'))!.tincan, code)).toEqual({
    lang: 'en',
    flag: expect.anything(),
    q: 'a b c',
  })
})
