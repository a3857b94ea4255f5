// What `launch diagnose` says of a launch is what the face then does with it, for every rule of the README.

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { baseUrl } from '../../../test/support/core.ts'
import { launchOf, signedAddress } from '../../../test/support/itslearning-signer.ts'
import type { LaunchParameters } from '../../../test/support/itslearning-signer.ts'
import { openLaunchWorld, sharedSecret } from '../../../test/support/launch.ts'
import type { LaunchWorld } from '../../../test/support/launch.ts'
import type { PlatformChange } from '../../core/platform.ts'
import { diagnoseAt } from './by-hand.ts'
import type { Diagnosis } from './diagnosis.ts'
import { writeTimestamp } from './verification.ts'

let world: LaunchWorld
beforeAll(async () => {
  world = await openLaunchWorld({ platform: { settings: { customers: [14] } } })
  await world.core.placements.put(world.platform, '14/100', world.contents.tincan.id)
  await world.core.placements.put(world.platform, '14/102', null)
})
afterAll(() => world.close())

const address = `${baseUrl}/launch/itslearning/school`

function signed(change: LaunchParameters = {}, { page = 'view', secret = sharedSecret } = {}): string {
  const Timestamp = writeTimestamp(world.clock.now())
  return signedAddress(`${address}/${page}`, launchOf({ Timestamp, ...change }), secret)
}

const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`more${index}`, 'x']))
const { UserId: _, ...nobody } = launchOf()

interface Case {
  readonly url: () => string
  /** While it is asked and sent. */
  readonly change?: PlatformChange
}

const settings = (more: object) => ({ settings: { customers: [14], ...more } })

const cases: readonly (readonly [string, Case])[] = [
  ['accepted', { url: () => signed() }],
  ['accepted', { url: () => signed({ Permissions: 'Modify', LearningObjectId: '101' }) }],
  ['accepted', { url: () => signed({ Permissions: 'Modify' }, { page: 'add' }) }],
  ['platform', { url: () => signed(), change: { isEnabled: false } }],
  ['address-long', { url: () => signed({ more: 'x'.repeat(8200) }) }],
  ['parameters-many', { url: () => signed(many) }],
  ['signature-missing', { url: () => signed().replace(/&Signature=.*/, '') }],
  ['signature-wrong', { url: () => signed({}, { secret: 'x'.repeat(40) }) }],
  ['parameter-malformed', { url: () => signed({ '1': 'x' }) }],
  ['parameter-twice', { url: () => signed({ userid: '9' }) }],
  ['value-ambiguous', { url: () => signed({ FirstName: 'Bob&Role=Staff' }) }],
  ['parameter-missing', { url: () => signedAddress(`${address}/view`, nobody, sharedSecret) }],
  ['parameter-wrong', { url: () => signed({ UserId: 'x' }) }],
  ['encoding-unknown', { url: () => signed({ Encoding: 'latin1' }) }],
  ['list', { url: () => signed({ LicenseIds: '1,2', ExternalLicenseIds: 'a' }), change: settings({ licensed: true }) }],
  ['licences', { url: () => signed({ LicenseIds: '1', ExternalLicenseIds: '' }) }],
  ['customer', { url: () => signed({ CustomerId: '15' }) }],
  ['school', { url: () => signed({ SchoolId: '6|' }), change: settings({ schools: [5] }) }],
  ['time', { url: () => signed({ Timestamp: '2020-01-02T03:04:05' }) }],
  ['unset', { url: () => signed({ LearningObjectId: '101' }) }],
  ['unset', { url: () => signed({ LearningObjectId: '102' }) }],
  ['permission', { url: () => signed({ Permissions: 'Fly' }) }],
  ['permission', { url: () => signed({ Permissions: 'Read' }, { page: 'add' }) }],
]

it.each(cases)('%s', async (rule, { url, change }) => {
  const { core, operator, platform, clock } = world
  const now = change === undefined ? platform : await core.platforms.update(operator, platform.id, change)
  const address = url()
  const before = (await world.events()).length
  const found = await diagnoseAt(core, now, { url: address, secrets: [sharedSecret], now: clock.now() })
  expect((await world.events()).length).toBe(before)
  const answer = await world.ask('GET', address.replace(baseUrl, ''))
  if (change !== undefined) await core.platforms.update(operator, platform.id, { isEnabled: true, ...settings({}) })
  expect([answer.status === 303 ? 'accepted' : ruleIn(answer.text), verdictOf(found)]).toEqual([rule, rule])
})

it('is so for every rule that the README names', () => {
  const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8')
  const [, table = ''] = /^\| \| rule \|$([\s\S]*?)^$/m.exec(readme) ?? []
  const named = [...table.matchAll(/^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \|/gm)].flatMap(
    ([, words = '']) => words.match(/[a-z-]+/g) ?? [],
  )
  const shown = new Set(cases.map(([rule]) => rule))
  // Whether it was used before is the one thing that a diagnosis leaves open.
  expect(named.filter((rule) => !shown.has(rule))).toEqual(['replay'])
})

function verdictOf({ isAccepted, faults }: Diagnosis): string | undefined {
  return isAccepted ? 'accepted' : faults[0]?.rule
}

/** In the log, by the reference of the page. */
function ruleIn(page: string): string | undefined {
  // The same bound stands before all faces, in words of its own.
  if (page.includes('claviger/too-many-parameters')) return 'parameters-many'
  const reference = /Reference: <code>([^<]+)/.exec(page)?.[1] ?? 'none'
  const line = world
    .log()
    .split('\n')
    .find((one) => one.includes(reference))
  return (JSON.parse(line ?? '[{}]') as [{ rule?: string }])[0].rule
}
