import { describe, expect, it } from 'vitest'
import { authorise, explain } from './access.ts'
import type { LrsId, OrganisationId } from './ids.ts'
import type { Caller } from './principal.ts'
import type { Rights } from './rights.ts'

const caller = (rights: Rights, more: Partial<Caller> = {}): Caller => {
  return { organisationId: 1 as OrganisationId, name: 'Course', rights, lrsIds: [1 as LrsId], ...more }
}
const reader = caller({ xapi: { 'statements/read': 'mine' }, management: [] })

describe('explain', () => {
  it('answers the reach of a granted right', () => {
    expect(explain(reader, { kind: 'xapi', right: 'statements/read' })).toMatchObject({ allowed: true, reach: 'mine' })
    expect(authorise(reader, { kind: 'xapi', right: 'statements/read' })).toBe('mine')
  })

  it('names the missing right and a remedy', () => {
    expect(explain(reader, { kind: 'xapi', right: 'statements/write' })).toEqual({
      allowed: false,
      decidedBy: 'statements/write',
      reason: 'This key lacks the right statements/write.',
      remedy: 'Grant statements/write to "Course".',
    })
  })

  it('names the Lrs that is not reached', () => {
    const request = { kind: 'xapi', right: 'statements/read', lrsId: 2 as LrsId } as const
    expect(explain(reader, request)).toMatchObject({ allowed: false, decidedBy: 'lrs' })
    expect(explain(reader, { ...request, lrsId: 1 as LrsId }).allowed).toBe(true)
  })

  it('names the limit', () => {
    const limited = caller(reader.rights, { limits: { addresses: ['192.0.2.1'] } })
    const request = { kind: 'xapi', right: 'statements/read', arrival: { address: '192.0.2.2' } } as const
    expect(explain(limited, request)).toMatchObject({ allowed: false, decidedBy: 'limit addresses' })
  })

  it('holds management to its limits, too', () => {
    const management = [{ area: 'credentials', actions: ['read'], bound: { kind: 'organisation' } }] as const
    const limited = caller({ xapi: {}, management }, { limits: { origins: ['https://lms.example.org'] } })
    const request = { kind: 'manage', area: 'credentials', action: 'read' } as const
    const from = (origin: string) => explain(limited, { ...request, arrival: { origin } })
    expect(from('https://lms.example.org').allowed).toBe(true)
    expect(from('https://evil.example')).toMatchObject({ allowed: false, decidedBy: 'limit origins' })
  })

  it('names the pin', () => {
    const rights: Rights = { xapi: { 'statements/write': 'any' }, management: [] }
    const pinned = caller(rights, { pins: { actor: [{ mbox: 'mailto:ada@example.org' }] } })
    const statement = (mbox: string) => ({
      actor: { objectType: 'Agent', mbox },
      verb: { id: 'http://adlnet.gov/expapi/verbs/completed' },
      object: { id: 'urn:course', objectType: 'Activity' },
    })
    const ask = (mbox: string) =>
      explain(pinned, { kind: 'xapi', right: 'statements/write', statement: statement(mbox) })
    expect(ask('mailto:ada@example.org').allowed).toBe(true)
    expect(ask('mailto:bob@example.org')).toMatchObject({ allowed: false, decidedBy: 'pin actor' })
  })

  it('bounds management', () => {
    const manager = caller({
      xapi: {},
      management: [{ area: 'credentials', actions: ['read'], bound: { kind: 'lrs', id: 1 as LrsId } }],
    })
    const request = { kind: 'manage', area: 'credentials', action: 'read' } as const
    expect(explain(manager, request)).toMatchObject({ allowed: false, decidedBy: 'manage/credentials/read' })
    expect(explain(manager, { ...request, bound: { kind: 'lrs', id: 1 as LrsId } }).allowed).toBe(true)
    expect(() => authorise(manager, request)).toThrow('lacks manage/credentials/read for the whole organisation')
  })
})
