// The part of scripts/valid-and-mutated.ts that goes to the started program: whole batches, and what it answers.

import { randomUUID } from 'node:crypto'
import { mutate } from '../test/support/statement-mutation.ts'
import { missOf, samples } from './valid-and-mutated-run.ts'
import type { Sample, Tally, Work } from './valid-and-mutated-run.ts'
import type { StartedProgram } from './started-program.ts'

const validPerRequest = 50
const mutatedPerRequest = 20
const parallelRequests = 4
const versions = { '1.0': '1.0.3', '2.0': '2.0.0' } as const

type Send = (body: string, version: Sample['version']) => Promise<{ status: number; text: string }>

function sender({ url, headers }: StartedProgram, tally: Tally): Send {
  return async (body, version) => {
    tally.sent++
    const all = { ...headers, 'content-type': 'application/json', 'x-experience-api-version': versions[version] }
    const response = await fetch(`${url}/xapi/statements`, { method: 'POST', headers: all, body })
    return { status: response.status, text: await response.text() }
  }
}

/** All accepted. Each gets an id of its own: two with the same would be another rule. */
export async function validOverHttp(program: StartedProgram, work: Work, tally: Tally): Promise<void> {
  const send = sender(program, tally)
  await eachBatch(samples(work), validPerRequest, async (batch) => {
    const statements = batch.map(({ statement }) =>
      'id' in statement ? { ...statement, id: randomUUID() } : statement,
    )
    const { status, text } = await send(JSON.stringify(statements), batch[0]!.version)
    if (status === 200) tally.valid += batch.length
    else tally.misses.push(`a valid batch from ${batch[0]!.source} on: ${status} ${text.slice(0, 2000)}`)
  })
}

/** All refused, each at its place in its batch, and nothing stored. */
export async function mutatedOverHttp(program: StartedProgram, work: Work, tally: Tally): Promise<void> {
  const send = sender(program, tally)
  const before = await newest(program)
  await eachBatch(samples(work), mutatedPerRequest, async (batch) => {
    const [{ version }] = batch as [Sample]
    const mutations = batch.map((sample) => ({
      ...mutate(sample.statement, version, sample.random),
      source: sample.source,
    }))
    const joined = mutations.filter(({ isTextual }) => !isTextual)
    const { status, pointers } = await judge(send, `[${joined.map(({ text }) => text).join()}]`, version)
    // Of many failures only the first are listed: then each is asked alone.
    const missed = joined.filter(({ place }, index) => status !== 400 || !pointers.includes(`/${index}${place}`))
    tally.mutated += joined.length - missed.length
    for (const mutation of [...missed, ...mutations.filter(({ isTextual }) => isTextual)]) {
      const alone = await judge(send, mutation.text, version)
      if (alone.status === 400 && alone.pointers.includes(mutation.place)) tally.mutated++
      else tally.misses.push(missOf(mutation, alone, mutation.source))
    }
  })
  const after = await newest(program)
  if (after !== before) tally.misses.push(`something was stored: ${before} was the newest, now it is ${after}`)
}

async function judge(send: Send, body: string, version: Sample['version']) {
  const { status, text } = await send(body, version)
  const { failures = [] } = JSON.parse(text) as { failures?: { pointer: string }[] }
  return { status, pointers: failures.map(({ pointer }) => pointer) }
}

async function newest({ url, headers }: StartedProgram): Promise<string | undefined> {
  const response = await fetch(`${url}/xapi/statements?limit=1`, { headers })
  const { statements } = (await response.json()) as { statements: { id: string }[] }
  return statements[0]?.id
}

/** Batches of one version, several under way at once. */
async function eachBatch(
  all: Iterable<Sample>,
  size: number,
  handle: (batch: Sample[]) => Promise<void>,
): Promise<void> {
  let under: Promise<void>[] = []
  let batch: Sample[] = []
  const flush = async (): Promise<void> => {
    if (batch.length > 0) under.push(handle(batch))
    batch = []
    if (under.length < parallelRequests) return
    await Promise.all(under)
    under = []
  }
  for (const sample of all) {
    if (batch.length === size || (batch.length > 0 && batch[0]!.version !== sample.version)) await flush()
    batch.push(sample)
  }
  await flush()
  await Promise.all(under)
}
