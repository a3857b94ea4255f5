// Communication 1.5: which content types statements come and go in. What multipart bodies must keep is tested beside the face.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStage, statement } from '../support/xapi.ts'
import type { Client, Stage } from '../support/xapi.ts'

let stage: Stage
let client: Client

beforeAll(async () => {
  stage = await openStage()
  client = await stage.as('xapi')
})
afterAll(() => stage.close())

const attachments = [
  {
    usageType: 'http://example.org/usage',
    display: { en: 'A file' },
    contentType: 'text/plain',
    length: 4,
    sha2: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    fileUrl: 'http://example.org/file.txt',
  },
]

describe('statements with attachments', () => {
  it('XAPI-00127 come as application/json', async () => {
    expect((await client.post(statement({ attachments }))).status).toBe(200)
  })

  it.each(['text/plain', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'application/xml'])(
    'XAPI-00127 do not come as %s, and nothing is stored',
    async (type) => {
      const one = statement({ attachments })
      expect((await client.post(one, { 'content-type': type })).status).toBe(400)
      expect((await client.get(`statements?statementId=${one.id}`)).status).toBe(404)
    },
  )

  it.each([true, false])(
    'XAPI-00167 go as multipart/mixed with attachments=true; there are some: %s',
    async (isThere) => {
      const one = statement(isThere ? { attachments } : {})
      await client.post(one)
      for (const path of [`statements?statementId=${one.id}&attachments=true`, 'statements?limit=1&attachments=true']) {
        const { status, headers, text } = await client.get(path)
        expect([status, headers.get('content-type')]).toEqual([
          200,
          expect.stringMatching(/^multipart\/mixed; ?boundary=/),
        ])
        expect(text).toContain(one.id)
      }
    },
  )
})
