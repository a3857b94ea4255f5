import { expect, it } from 'vitest'
import { Recorder } from './recording.ts'

const lines = (...all: string[]) => {
  const recorder = new Recorder()
  for (const line of all) recorder.takeLine(line)
  return recorder.recording
}

it.each([
  ['/data/xAPI/statements?limit=5', 'statements?limit=5'],
  ['https://old.example.org/data/xAPI/statements/?verb=urn%3Av', 'statements?verb=urn%3Av'],
  ['GET /xapi/activities/state?stateId=a HTTP/1.1', 'activities/state?stateId=a'],
  ['statements?limit=1', 'statements?limit=1'],
  ['/lrs/APP/sandbox/Agents?agent={}', 'agents?agent={}'],
  ['{"method":"GET","path":"/xapi/about"}', 'about'],
  ['{"url":"https://a.example/xapi/activities?activityId=urn:a"}', 'activities?activityId=urn:a'],
  [
    '192.0.2.1 - - [10/Oct/2025:13:55:36 +0000] "GET /data/xAPI/statements?since=2025 HTTP/1.1" 200 2326',
    'statements?since=2025',
  ],
  [
    '::1 - ann [10/Oct/2025:13:55:36 +0000] "HEAD /xapi/agents/profile?agent=\\x7B\\x7D HTTP/2.0" 200 1 "-" "A \\"B\\""',
    'agents/profile?agent=%7B%7D',
  ],
])('%s', (line, path) => {
  expect(lines(line)).toEqual({ requests: [{ path, headers: {}, times: 1 }], leftOut: {} })
})

it.each([
  ['POST /xapi/statements?method=GET', 'not a GET'],
  ['{"method":"DELETE","path":"/xapi/activities/state?stateId=a"}', 'not a GET'],
  ['/api/v2/client', 'not a resource of xAPI'],
  ['/data/xAPI/statements?cursor=abc', 'a page behind the first: where it begins, only the old store knows'],
  ['/xapi/statements/more/abc', 'a page behind the first: where it begins, only the old store knows'],
  ['some words without sense', 'a line that is no request'],
  ['{"method":"GET"}', 'a line that is no request'],
  ['{', 'a line that is no request'],
  [`/xapi/statements?agent=${'a'.repeat(20_000)}`, 'a URL that is too long'],
])('leaves out %.60s', (line, why) => {
  expect(lines(line)).toEqual({ requests: [], leftOut: { [why]: 1 } })
})

it('asks once what was asked often, and keeps no header but those that change an answer', () => {
  const headers = {
    Accept: 'a/b',
    Authorization: 'Basic c2VjcmV0',
    Cookie: 'x',
    'If-None-Match': '"e"',
    'X-Bad': 'a\nb',
  }
  const one = JSON.stringify({ method: 'GET', path: '/xapi/about', headers })
  const { requests, leftOut } = lines('# a comment', '', one, one, '/xapi/about')
  expect(requests).toEqual([
    { path: 'about', headers: { accept: 'a/b' }, times: 2 },
    { path: 'about', headers: {}, times: 1 },
  ])
  expect(leftOut).toEqual({})
})

it('reads HAR, and says what is none', () => {
  const recorder = new Recorder()
  const request = (method: string, url: string) => ({
    request: { method, url, headers: [{ name: 'Accept', value: 'a/b' }] },
  })
  const entries = [
    request('GET', 'https://a.example/xapi/about'),
    request('PUT', 'https://a.example/xapi/statements'),
    {},
  ]
  expect(recorder.takeHar({ log: { entries } })).toBe(true)
  expect(recorder.recording).toEqual({
    requests: [{ path: 'about', headers: { accept: 'a/b' }, times: 1 }],
    leftOut: { 'not a GET': 1, 'an entry that is no request': 1 },
  })
  for (const none of [{}, null, [], { log: {} }]) expect(recorder.takeHar(none)).toBe(false)
})
