// Calls nobody makes in good faith: each is refused by number, in XML, with HTTP 200; none is a defect of ours, none writes anything.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWorld, v1AnswerOf } from '../../../test/support/scormcloud.ts'
import type { World } from '../../../test/support/scormcloud.ts'
import { signCall } from '../../../test/support/v1-signer.ts'
import type { Parameter } from '../../../test/support/v1-signer.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
  await world.events()
})
afterAll(() => world.close())

async function refused(method: string, path: string, body?: string, headers: Record<string, string> = {}) {
  const before = world.log().length
  const answer = v1AnswerOf(await world.ask(method, path, { ...(body !== undefined && { body }), headers }))
  expect(answer.headers.get('Content-Type')).toBe('text/xml; charset=utf-8')
  expect(answer.text.length).toBeLessThan(5_000)
  expect(world.log().slice(before)).not.toContain('request failed')
  expect(await world.events()).toEqual([])
  return answer.error
}

const form = { 'Content-Type': 'application/x-www-form-urlencoded' }

describe('unsigned', () => {
  it.each([
    ['', 200],
    ['?', 200],
    ['?method', 200],
    ['?method=', 200],
    ['?=&=&=', 200],
    ['?method=%00', 202],
    ['?method=%FF%FE', 202],
    ['?method=%', 202],
    ['?method=__proto__', 202],
    ['?method=constructor', 202],
    [`?method=${'x'.repeat(20_000)}`, 202],
    ['?method=rustici.debug.authPing&appid=%00&sig=x', 102],
    ['?method=rustici.debug.authPing&appid=__proto__&sig=x', 102],
    [`?method=rustici.debug.authPing&appid=${'A'.repeat(20_000)}&sig=x`, 102],
    ['?method=rustici.debug.authPing&appid=%F0%9F%98%80&sig=x', 102],
    ['?__proto__=1&method=rustici.debug.authPing', 101],
    ['?METHOD=rustici.debug.ping', 200],
    [`?${'a&'.repeat(90)}method=x`, 202],
  ])('%s', async (query, number) => {
    expect(await refused('GET', `/api${query}`)).toBe(number)
  })

  it.each([
    ['bytes that are no text', '\u00ff', { ...form, 'Content-Encoding': 'gzip' }, 200],
    ['1 MB', `a=${'x'.repeat(1024 * 1024)}`, form, 200],
    ['many small parameters', 'a&'.repeat(30_000), form, 200],
    ['XML', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', { 'Content-Type': 'text/xml' }, 200],
    ['nothing of note', '&&&===', form, 200],
  ])('a body of %s', async (_, body, headers, number) => {
    expect(await refused('POST', '/api', body, headers)).toBe(number)
  })
})

describe('signed', () => {
  const sign = (...parameters: readonly Parameter[]) =>
    signCall({ ...world.application.login, time: world.clock.now() }, parameters)
  const edit: Parameter = ['method', 'rustici.lrsaccount.editActivityProvider']

  it.each([
    ['nothing but control characters', '\u0000\u0001\u001f'],
    ['SQL', "' OR '1'='1"],
    ['a pattern', '%'],
    ['a path', '../../../etc/passwd'],
    ['emoji', '😀'.repeat(100)],
    ['50 kB', 'k'.repeat(50_000)],
    ['a prototype', '__proto__'],
  ])('an accountkey of %s', async (_, value) => {
    for (const method of ['editActivityProvider', 'deleteActivityProvider']) {
      const query = sign(['method', `rustici.lrsaccount.${method}`], ['accountkey', value], ['label', value])
      expect(await refused('GET', `/api?${query}`)).toBe(205)
    }
  })

  it('many values of one name, in the body', async () => {
    const values = Array.from({ length: 90 }, (_, index): Parameter => ['label', `${index}`.repeat(200)])
    expect(await refused('POST', '/api', String(sign(edit, ['accountkey', 'x'], ...values)), form)).toBe(205)
  })

  it('names that differ in case only are signed in the order they came', async () => {
    const query = sign(['method', 'rustici.debug.authPing'], ['a', '1'], ['A', '2'])
    expect((await world.ask('GET', `/api?${query}`)).text).toContain('<rsp stat=')
  })

  it('no text of a parameter can change what another says', async () => {
    // Without separators name and value run together: what was signed as one may be sent as another.
    const query = sign(['method', 'rustici.debug.authPing'], ['label', 'xmethod'])
    query.delete('method')
    query.append('method', 'rustici.lrsaccount.listActivityProviders')
    expect(await refused('GET', `/api?${query}`)).toBe(104)
  })
})
