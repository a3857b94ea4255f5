// What becomes of files when a person is erased or an Lrs emptied, whatever clocks and other requests do meanwhile.

import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openCore } from '../../test/support/core.ts'
import type { OpenCore } from '../../test/support/core.ts'
import type { SentAttachments } from './attachments.ts'
import type { Principal } from './principal.ts'
import type { DocumentTarget } from './xapi/document-query.ts'

const ann = { mbox: 'mailto:ann@example.org' }
const bob = { mbox: 'mailto:bob@example.org' }
const hour = 3_600_000
const limit = { most: 1_000_000, decidedBy: 'limit', remedy: '' }

let world: OpenCore
let principal: Principal
beforeEach(async () => {
  world = await openCore()
  principal = await world.signIn(await world.issue('xapi'))
})
afterEach(() => world.close())

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')
const files = () =>
  readdirSync(join(world.directory, 'blobs', String(world.lrsId)), { recursive: true, encoding: 'utf8' })
    .map((path) => path.split('/').at(-1) ?? '')
    .filter((name) => name.length > 2)
    .toSorted()
const erase = () => world.core.erasures.erasePerson(world.operator, { agents: [ann], lrsId: world.lrsId })

function stateOf(agent: { readonly mbox: string }, id: string | undefined): DocumentTarget {
  const scope = { kind: 'state', activityId: 'urn:a', agent: `mbox ${agent.mbox}` } as const
  return { scope, id, since: undefined, about: {} }
}

const long = (text: string) => text.repeat(40_000)
/** Too long for a row. */
function putState(agent: { readonly mbox: string }, id: string, pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const content = { length: undefined, whole: () => Promise.reject(new Error('not JSON')), pieces: () => pieces }
  const document = {
    kind: 'replace',
    version: '1.0',
    contentType: 'text/plain',
    content,
    preconditions: () => ({}),
  } as const
  return world.core.documents.store(principal, world.lrsId, stateOf(agent, id), document)
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

/** A statement with these attachments; `before` runs before the bytes of the one named, whose hash may be wrong. */
function send(actor: object, texts: readonly string[], before: Readonly<Record<string, () => Promise<unknown>>> = {}) {
  const described = (text: string) => ({
    usageType: 'urn:u',
    display: { en: text },
    contentType: 'text/plain',
    length: text.length,
    sha2: hashOf(text),
  })
  async function* parts() {
    for (const text of texts) {
      await before[text]?.()
      yield { sha2: hashOf(text), bytes: () => once(text) }
    }
  }
  const attachments: SentAttachments = { parts: parts(), each: limit, together: limit }
  const statement = { actor, verb: { id: 'urn:v' }, object: { id: 'urn:a' }, attachments: texts.map(described) }
  const submission = { text: JSON.stringify(statement), version: '1.0', attachments } as const
  return world.core.statements.store(principal, world.lrsId, submission)
}

describe('an erasure', () => {
  it('leaves nothing of documents that were replaced or deleted before', async () => {
    for (const text of ['old', 'new']) await putState(ann, 's', once(long(text)))
    await putState(ann, 'gone', once(long('gone')))
    await world.core.documents.delete(principal, world.lrsId, stateOf(ann, 'gone'), () => ({}))
    await putState(ann, 'all', once(long('all')))
    await world.core.documents.delete(principal, world.lrsId, stateOf(ann, undefined), () => ({}))
    await putState(ann, 's', once(long('newest')))
    await putState(bob, 's', once(long('his')))
    expect((await erase()).counts).toMatchObject({ documents: 1, blobs: 5, blobsLeft: 0 })
    expect(files()).toEqual([hashOf(long('his'))])
  })

  it('leaves nothing of requests that were refused before, also where they sent the bytes again', async () => {
    await send(ann, ['hers'])
    const refuse = { no: () => Promise.reject(new Error('the client is gone')) }
    await expect(send(bob, ['hers', 'more', 'no'], refuse)).rejects.toThrow('the client is gone')
    expect((await erase()).counts).toMatchObject({ attachments: 1, blobs: 2, blobsLeft: 0 })
    expect(files()).toEqual([])
  })

  it.each([-100 * hour, 100 * hour])(
    'leaves bytes to a request under way when the clock jumps by %i ms',
    async (jump) => {
      await send(ann, ['both'])
      world.clock.pass(jump)
      const late = {
        other: async () => expect((await erase()).counts).toMatchObject({ statements: 1, blobs: 0, blobsLeft: 1 }),
      }
      await send(bob, ['both', 'new', 'other'], late)
      expect(files()).toEqual(['both', 'new', 'other'].map(hashOf).toSorted())
      await erase()
      expect(files()).toHaveLength(3)
    },
  )

  it('comes back for what a request under way had, once that is refused', async () => {
    await send(ann, ['both'])
    const late = {
      other: async () => {
        expect((await erase()).counts).toMatchObject({ blobs: 0, blobsLeft: 1 })
        throw new Error('the client is gone')
      },
    }
    await expect(send(bob, ['both', 'other'], late)).rejects.toThrow('the client is gone')
    await vi.waitFor(() => expect(files()).toEqual([]))
  })

  it('leaves the content of a document between its bytes and its row', async () => {
    const { documents } = world.storage
    const change = documents.change.bind(documents)
    documents.change = async (...args) => {
      expect((await erase()).counts).toMatchObject({ blobs: 0, blobsLeft: 0 })
      return change(...args)
    }
    await putState(bob, 's', once(long('his')))
    expect(files()).toEqual([hashOf(long('his'))])
  })
})

describe('emptying', () => {
  it('takes documents, too, that are ahead of a clock that was set back', async () => {
    await putState(ann, 's', once(long('old')))
    world.clock.pass(-hour)
    const preview = await world.core.erasures.previewEmpty(world.operator, world.lrsId)
    expect(preview.lrs[0]?.counts).toMatchObject({ documents: 1 })
    expect((await world.core.erasures.empty(world.operator, world.lrsId)).counts).toMatchObject({
      documents: 1,
      blobs: 1,
    })
    expect(files()).toEqual([])
  })

  it('leaves a document that arrives meanwhile, also then', async () => {
    await putState(ann, 's', once(long('old')))
    world.clock.pass(-hour)
    const { erasures } = world.storage
    const step = erasures.step.bind(erasures)
    let isFirst = true
    erasures.step = async (...args) => {
      if (isFirst) await putState(bob, 's', once(long('new')))
      isFirst = false
      return step(...args)
    }
    await world.core.erasures.empty(world.operator, world.lrsId)
    expect(files()).toEqual([hashOf(long('new'))])
  })
})
