import { describe, expect, it } from 'vitest'
import type { Failure } from '../errors.ts'
import { aStatement, brokenRules, inBoth, someone } from '../../../test/support/statement.ts'
import { agentTerm, checkAgent } from './agent.ts'

const account = { homePage: 'https://example.com/', name: 'me' }
const openid = 'https://openid.example.com/me'
const hash = 'cd9b00a5611f94eaa7b1661edab976068e364975'
const group = { objectType: 'Group', member: [someone] }

function actorRules(actor: unknown): string[] {
  return brokenRules(aStatement({ actor }))
}

describe('Agents', () => {
  it.each([
    { mbox: 'mailto:a@b.example' },
    { mbox: 'mailto:a.b+c@sub.b-c.example', objectType: 'Agent', name: '' },
    { mbox: 'mailto:jörg@例え.jp' },
    { mbox_sha1sum: hash },
    { mbox_sha1sum: hash.toUpperCase() },
    { openid },
    { account },
    { account: { ...account, name: '' } },
  ])('XAPI-00034 one identifier suffices: %j', (actor) => {
    expect(actorRules(actor)).toEqual([])
  })

  it.each([
    {},
    { name: 'Me' },
    { ...someone, openid },
    { mbox_sha1sum: hash, account },
    { ...someone, mbox_sha1sum: hash, openid, account },
  ])('XAPI-00034 %j has none or several', (actor) => {
    expect(actorRules(actor)).toEqual(['/actor XAPI-00034'])
  })

  it.each(inBoth({ actor: { name: 'Me' } }))('XAPI-00034 holds in %s', (_, prefix, statement) => {
    expect(brokenRules(statement)).toEqual([`${prefix}/actor XAPI-00034`])
  })

  it.each(['text', 5, true, [], [someone]])('XAPI-00031 %j is no Agent', (actor) => {
    expect(actorRules(actor)).toEqual(['/actor XAPI-00031'])
  })

  it('XAPI-00031 objectType is Agent or Group', () => {
    expect(actorRules({ ...someone, objectType: 'Person' })).toEqual(['/actor/objectType XAPI-00031'])
    expect(actorRules({ ...someone, objectType: 'Activity' })).toEqual(['/actor/objectType XAPI-00031'])
  })

  it('XAPI-00009 objectType is spelled exactly', () => {
    expect(actorRules({ ...someone, objectType: 'agent' })).toEqual(['/actor/objectType XAPI-00009'])
    expect(actorRules({ ...someone, objectType: 'GROUP' })).toEqual(['/actor/objectType XAPI-00009'])
  })

  it('XAPI-00032 objectType is a string', () => {
    expect(actorRules({ ...someone, objectType: 123 })).toEqual(['/actor/objectType XAPI-00032'])
  })

  it('XAPI-00033 name is a string', () => {
    expect(actorRules({ ...someone, name: 123 })).toEqual(['/actor/name XAPI-00033'])
  })

  it('XAPI-00035 only a Group has members', () => {
    expect(actorRules({ ...someone, member: [someone] })).toEqual(['/actor/member XAPI-00035'])
  })

  it.each([
    'a@b.example',
    'mailto:should.fail.com',
    'http://should.fail.com',
    'mailto:@b',
    'mailto:a@',
    'mailto:a@b@c',
    'mailto:a b@c',
    'MAILTO:a@b',
    'mailto:a@b\0',
    'mailto:a\ud800@b',
    'mailto:a@b?subject=x',
    'mailto:a@b,c@d',
    `mailto:${'a'.repeat(9000)}@b`,
    '',
    {},
  ])('XAPI-00038 mbox is mailto: and an address, not %j', (mbox) => {
    expect(actorRules({ mbox })).toEqual(['/actor/mbox XAPI-00038'])
  })

  it.each(['', 'abc', `${hash}0`, hash.replace('c', 'g'), 5])(
    'XAPI-00039 mbox_sha1sum is 40 hex digits, not %j',
    (value) => {
      expect(actorRules({ mbox_sha1sum: value })).toEqual(['/actor/mbox_sha1sum XAPI-00039'])
    },
  )

  it.each(['open.id.com/testUser', 'ab=c://should.fail.com', 5])('XAPI-00040 openid is an IRI, not %j', (value) => {
    expect(actorRules({ openid: value })).toEqual(['/actor/openid XAPI-00040'])
  })

  it.each(['text', 5, []])('XAPI-00041 account is an object, not %j', (value) => {
    expect(actorRules({ account: value })).toEqual(['/actor/account XAPI-00041'])
  })

  it('XAPI-00042 account has an absolute homePage', () => {
    expect(actorRules({ account: { name: 'me' } })).toEqual(['/actor/account XAPI-00042'])
    expect(actorRules({ account: { ...account, homePage: 'homePage.com/testUser' } })).toEqual([
      '/actor/account/homePage XAPI-00042',
    ])
  })

  it('XAPI-00043 account has a name, a storable string', () => {
    expect(actorRules({ account: { homePage: account.homePage } })).toEqual(['/actor/account XAPI-00043'])
    for (const name of [123, {}, 'a\0b', '\ud800', 'x'.repeat(8193)]) {
      expect(actorRules({ account: { ...account, name } })).toEqual(['/actor/account/name XAPI-00043'])
    }
    expect(actorRules({ account: { ...account, name: '😀 |"<>' } })).toEqual([])
  })

  it('XAPI-00001 null is no value', () => {
    expect(actorRules({ ...someone, name: null })).toEqual(['/actor/name XAPI-00001'])
    expect(actorRules({ mbox: null })).toEqual(['/actor/mbox XAPI-00001'])
  })

  it('XAPI-00010 unknown members are refused, also those that look like JavaScript', () => {
    expect(actorRules(JSON.parse('{"mbox":"mailto:a@b.example","__proto__":{},"constructor":1,"a/b":2}'))).toEqual([
      '/actor/__proto__ XAPI-00010',
      '/actor/constructor XAPI-00010',
      '/actor/a~1b XAPI-00010',
    ])
  })

  it('XAPI-00008 names are case-sensitive', () => {
    expect(actorRules({ ...someone, Name: 'x' })).toEqual(['/actor/Name XAPI-00008'])
  })
})

describe('Groups', () => {
  it.each([
    group,
    { objectType: 'Group', ...someone },
    { objectType: 'Group', ...someone, member: [] },
    { objectType: 'Group', account, member: [someone, { openid }], name: 'Team' },
  ])('%j is accepted', (actor) => {
    expect(actorRules(actor)).toEqual([])
  })

  it.each([{ objectType: 'Group' }, { objectType: 'Group', member: [] }])(
    'XAPI-00035 an anonymous Group lists members: %j',
    (actor) => {
      expect(actorRules(actor)).toEqual([`/actor${'member' in actor ? '/member' : ''} XAPI-00035`])
    },
  )

  it.each([['text'], [{}], [5]])('XAPI-00036 member is an array, not %j', (member) => {
    expect(actorRules({ objectType: 'Group', member })).toEqual(['/actor/member XAPI-00036'])
  })

  it('XAPI-00036 members are Agents, not Groups', () => {
    const member = [someone, 'text', { ...group }, { objectType: 'Group', ...someone }]
    expect(actorRules({ objectType: 'Group', member })).toEqual([
      '/actor/member/1 XAPI-00036',
      '/actor/member/2/objectType XAPI-00036',
      '/actor/member/2/member XAPI-00035',
      '/actor/member/2 XAPI-00034',
      '/actor/member/3/objectType XAPI-00036',
    ])
  })

  it('XAPI-00037 at most one identifier', () => {
    expect(actorRules({ ...group, ...someone, openid })).toEqual(['/actor XAPI-00037'])
  })
})

describe('authority', () => {
  const client = { account: { homePage: 'https://example.com/oauth', name: 'consumer' } }

  it.each([
    someone,
    { objectType: 'Group', member: [client, someone] },
    { objectType: 'Group', member: [someone, client] },
  ])('XAPI-00024 %j is accepted', (authority) => {
    expect(brokenRules(aStatement({ authority }))).toEqual([])
  })

  it('XAPI-00024 is an Agent or a Group', () => {
    expect(brokenRules(aStatement({ authority: 'me' }))).toEqual(['/authority XAPI-00024'])
  })

  it.each([[[client]], [[client, someone, { openid }]]])('XAPI-00098 a Group has two members, not %j', (member) => {
    expect(brokenRules(aStatement({ authority: { objectType: 'Group', member } }))).toEqual([
      '/authority/member XAPI-00098',
    ])
  })

  it.each([someone, { mbox_sha1sum: hash }, { openid }, { account }])(
    'XAPI-00098 a Group is anonymous, without %j',
    (id) => {
      const authority = { objectType: 'Group', ...id, member: [client, someone] }
      expect(brokenRules(aStatement({ authority }))).toEqual([`/authority/${Object.keys(id)[0]} XAPI-00098`])
    },
  )

  it('XAPI-00100 one of the two is an OAuth client', () => {
    const authority = { objectType: 'Group', member: [someone, { openid }] }
    expect(brokenRules(aStatement({ authority }))).toEqual(['/authority/member XAPI-00100'])
  })
})

describe('identity', () => {
  it('a Group and an Agent with the same identifier are the same; name and members do not count', () => {
    expect(agentTerm({ ...group, account, name: 'x' })).toBe(agentTerm({ account }))
  })

  it('what is case-insensitive is folded, nothing else', () => {
    expect(agentTerm({ mbox: 'mailto:Me@EXAMPLE.com' })).toBe(agentTerm({ mbox: 'mailto:Me@example.com' }))
    expect(agentTerm({ mbox: 'mailto:Me@example.com' })).not.toBe(agentTerm({ mbox: 'mailto:me@example.com' }))
    expect(agentTerm({ mbox_sha1sum: hash.toUpperCase() })).toBe(agentTerm({ mbox_sha1sum: hash }))
    expect(agentTerm({ openid: openid.toUpperCase() })).not.toBe(agentTerm({ openid }))
  })

  it('no two kinds of identifier and no two accounts share a text', () => {
    const agents = [
      { openid: 'mailto:a@b' },
      { mbox: 'mailto:a@b' },
      { account: { homePage: 'https://a', name: 'b c' } },
      { account: { homePage: 'https://a', name: 'b' } },
      { account: { homePage: 'https://a/b', name: 'c' } },
      { openid: 'https://a' },
    ]
    expect(new Set(agents.map(agentTerm)).size).toBe(agents.length)
  })

  it.each([group, {}, null, 'text', []])('%j has none', (value) => {
    expect(agentTerm(value)).toBeUndefined()
  })
})

describe('an Agent outside a statement', () => {
  it('is checked under the pointer given', () => {
    const failures: Failure[] = []
    checkAgent({ mbox: 'x' }, { version: '1.0', pointer: '?agent', failures })
    expect(failures).toEqual([
      { pointer: '?agent/mbox', rule: 'XAPI-00038', message: expect.stringMatching(/mailto:.*"x"/) },
    ])
  })
})
