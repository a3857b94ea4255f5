import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCore } from '../../test/support/core.ts'
import type { OpenCore } from '../../test/support/core.ts'
import type { CredentialId } from './ids.ts'
import type { DocumentOrigin, StatementOrigin } from './importing.ts'

const operator = { operator: 'test' }
const authority = { objectType: 'Agent', name: 'Key', mbox: 'mailto:key@example.org' }
const stored = '2017-09-20T09:40:44.962Z'
const statement = {
  id: '0f3a54d0-7c0b-4b8e-9a51-2f4b7f6f7c11',
  actor: { mbox: 'mailto:ann@example.org' },
  verb: { id: 'https://example.org/did' },
  object: { id: 'https://example.org/a', definition: { name: { en: 'A' } } },
  timestamp: '2017-09-20T09:40:00+02:00',
  stored,
  authority: { mbox: 'mailto:elsewhere@example.org' },
  version: '1.0.1',
}
const origin: StatementOrigin = {
  ...{ owner: 7 as CredentialId, authority, isVoided: false, voidReach: 'any', defineReach: 'any' },
}

describe('imports', () => {
  let opened: OpenCore
  beforeAll(async () => void (opened = await openCore()))
  afterAll(() => opened.close())
  const prepare = (value: unknown, part: Partial<StatementOrigin> = {}) =>
    opened.core.imports.prepareStatement(value, { ...origin, ...part })

  it('keep id, stored time, timestamp, authority and version, as they stood', () => {
    const { openBody, storedText, storedAt, timestamp, owner, ...rest } = prepare(statement)
    expect(rest).toMatchObject({ id: statement.id, isVoided: false, voidReach: 'any', defineReach: 'any' })
    expect(JSON.parse(`${openBody},"stored":"${storedText}"}`)).toEqual(statement)
    expect(storedAt).toBe(Date.parse(stored) * 1_000)
    expect({ timestamp, owner }).toEqual({ timestamp: Date.parse(statement.timestamp) * 1_000, owner: 7 })
  })

  it('fill in what was missing: authority of the key, the stored time as timestamp, arrays of context activities', () => {
    const { timestamp: _, authority: __, version: ___, ...bare } = statement
    const context = { contextActivities: { parent: { id: 'https://example.org/b' } } }
    const { openBody, timestamp } = prepare({ ...bare, context })
    expect(JSON.parse(`${openBody}}`)).toMatchObject({
      ...{ authority, timestamp: stored, version: '1.0.0' },
      context: { contextActivities: { parent: [{ id: 'https://example.org/b' }] } },
    })
    expect(timestamp).toBe(Date.parse(stored) * 1_000)
  })

  it('describe only as far as the owner may', () => {
    expect(prepare(statement).descriptions).toHaveLength(1)
    expect(prepare(statement, { defineReach: undefined }).descriptions).toEqual([])
  })

  it.each([
    ['no stored time', { stored: undefined }, '/stored'],
    ['one that is none', { stored: 'yesterday' }, '/stored'],
    ['one that is no text', { stored: 5 }, '/stored'],
    ['one before 1970', { stored: '1969-01-01T00:00:00Z' }, '/stored'],
    ['one that has not come yet', { stored: '2026-01-02T03:04:06Z' }, '/stored'],
    ['no id', { id: undefined }, '/id'],
    ['what xAPI refuses', { verb: { id: 'did' } }, '/verb/id'],
    ['what its own version refuses', { version: '1.0.3', context: { contextAgents: [] } }, '/context/contextAgents'],
  ])('refuse %s, and say where', (_, part, pointer) => {
    expect(() => prepare({ ...statement, ...part })).toThrow(
      expect.objectContaining({
        code: 'invalid',
        detail: expect.objectContaining({ failures: expect.arrayContaining([expect.objectContaining({ pointer })]) }),
      }),
    )
  })

  it('refuse what is no statement', () => {
    for (const value of [undefined, null, 5, 'text', [], {}]) expect(() => prepare(value)).toThrow()
  })

  const document: DocumentOrigin = {
    ...{ kind: 'state', activityId: 'https://example.org/a', agent: { mbox: 'mailto:Ann@EXAMPLE.org' }, id: 'resume' },
    ...{
      owner: 0 as CredentialId,
      contentType: 'application/json',
      etag: 'a'.repeat(40),
      updatedAt: 1_500_000_000_000_000,
    },
    content: { kind: 'inline', bytes: new TextEncoder().encode('{}') },
  }

  it('make documents that are found again through xAPI, with their entity tag and time', async () => {
    const { core, lrsId, organisationId } = opened
    const { id } = await core.imports.begin(operator, 'elsewhere', {})
    const ready = core.imports.prepareDocument(document)
    const part = { importId: id, lrsId, progress: {}, documents: [ready] }
    expect(await core.imports.storeDocuments(operator, part)).toEqual(['stored'])
    const principal = await opened.signIn(await opened.issue('global'))
    const scope = {
      kind: 'state',
      activityId: 'https://example.org/a',
      agent: ready.key.kind === 'state' ? ready.key.agent : '',
    } as const
    const found = await core.documents.get(principal, lrsId, {
      ...{ scope, id: 'resume', since: undefined, about: { agent: document.agent, activityId: scope.activityId } },
    })
    expect(found).toMatchObject({ etag: 'a'.repeat(40), updatedAt: document.updatedAt })
    await core.imports.finish(operator, id, { report: { documents: 1 }, into: [organisationId] })
    expect((await opened.events()).at(-1)).toMatchObject({ action: 'import.finish', detail: { source: 'elsewhere' } })
    expect(await core.imports.get(operator, id)).toMatchObject({ report: { documents: 1 } })
  })

  it.each([
    ['an entity tag with a quote', { etag: '"a"' }],
    ['a media type of two lines', { contentType: 'text/plain\r\nX: y' }],
    ['a time to come', { updatedAt: 4_000_000_000_000_000 }],
    ['an activity that is no IRI', { activityId: 'a' }],
    ['an agent without identifier', { agent: { name: 'Ann' } }],
    ['an id with U+0000', { id: 'a\0' }],
    ['a registration that is no UUID', { registration: 'one' }],
  ])('refuse documents with %s', (_, part) => {
    expect(() => opened.core.imports.prepareDocument({ ...document, ...part })).toThrow(
      expect.objectContaining({ code: 'invalid' }),
    )
  })

  it('put bytes that stay while what refers to them is stored', async () => {
    const { core, lrsId } = opened
    const { id } = await core.imports.begin(operator, 'with bytes', {})
    async function* bytes() {
      yield new TextEncoder().encode('certificate')
    }
    const attachments = [
      { usageType: 'https://example.org/u', display: { en: 'C' }, contentType: 'text/plain', length: 11 },
    ]
    await core.imports.withBlobs(operator, lrsId, async (blobs) => {
      const { sha2 } = await blobs.put(bytes())
      await blobs.confirm()
      const claims = [{ sha2, contentType: 'text/plain' }]
      const described = { ...statement, attachments: attachments.map((one) => ({ ...one, sha2 })) }
      const statements = core.imports.newPart()
      statements.add(prepare(described))
      statements.claim(0, claims)
      const part = { importId: id, lrsId, progress: {}, statements }
      expect(await core.imports.storeStatements(operator, part)).toEqual(['stored'])
      await expect(blobs.put(bytes(), { sha2: 'ab'.repeat(32) })).rejects.toMatchObject({ code: 'invalid' })
    })
    const principal = await opened.signIn(await opened.issue('global'))
    const { statement: found } = await core.statements.get(principal, lrsId, statement.id, {
      ...{ isVoided: false, withAttachments: true },
    })
    expect(found.attachments).toHaveLength(1)
    await core.imports.finish(operator, id, { report: null, into: [] })
  })
})
