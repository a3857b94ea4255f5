// Attachments and signed statements: sent as each library sends them, and read back by it and by a plain request.

import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { root, sign, signer, stranger } from '../support/signing.ts'
import {
  type ClientAccount,
  type ClientLibrary,
  type Json,
  type Lack,
  type NewAttachment,
  signatureUsage,
  statusOf,
  type XapiClient,
} from './client.ts'
import { attachment, statement } from './samples.ts'
import type { Setting } from './setting.ts'

const essay = attachment(new TextEncoder().encode('Brandschutz ist Pflicht. 漢字'), 'text/plain; charset=utf-8')
/** Every byte, and what looks like the end of a part. */
const picture = attachment(
  Uint8Array.from([...Array(256).keys(), 13, 10, 45, 45, 13, 10, 0, 255]),
  'application/octet-stream',
)

type Case = [name: string, sent: NewAttachment[]]
const cases: Case[] = [
  ['a text', [essay]],
  ['bytes of every kind', [picture]],
  ['two texts', [essay, attachment(new TextEncoder().encode('--'), 'text/plain')]],
  ['several', [essay, picture, attachment(new Uint8Array(), 'application/octet-stream')]],
]
const isText = ([, sent]: Case): boolean => !sent.includes(picture)

export function describeAttachments(library: ClientLibrary, setting: Setting): void {
  describe('attachments', () => {
    const begin = async (): Promise<{ account: ClientAccount; client: XapiClient }> => {
      const account = setting.account(await setting.keys.create('isolated'))
      return { account, client: library.connect(account) }
    }
    const lacks = (lack: Lack): boolean => library.lacks.includes(lack)
    if (lacks('storeWith')) {
      refusesWhatComesBroken(begin, essay)
    } else {
      storesWhatIsSent(begin, lacks('storeBinary') ? cases.filter(isText) : cases)
      if (lacks('storeBinary')) refusesWhatComesBroken(begin, picture)
    }
    if (!lacks('findWith')) answersAsTheyRead(begin, lacks('findBinary') ? cases.filter(isText) : cases)
  })
}

type Begin = () => Promise<{ account: ClientAccount; client: XapiClient }>

function storesWhatIsSent(begin: Begin, cases: readonly Case[]): void {
  it.each(cases)('%s', async (_, sent) => {
    const { account, client } = await begin()
    const one = statement()
    await client.storeWith(one, sent)
    expect(await client.find(String(one['id']))).toMatchObject({ ...one, attachments: sent.map(describedAs) })
    expect(await bytesOf(account, one)).toEqual(sent.map(bytes))
  })

  it('a signed statement is stored; one signed by another key, or for another statement, is refused', async () => {
    const { client } = await begin()
    const [one, other] = [signable(), signable()]
    await client.storeWith(one, [await signature(one)])
    expect(await client.find(String(one['id']))).toMatchObject(one)
    for (const wrong of [await signature(one), await signature(other, [stranger])]) {
      expect(await statusOf(client.storeWith(other, [wrong]))).toBe(400)
      expect(await statusOf(client.find(String(other['id'])))).toBe(404)
    }
  })
}

/** A library's own mistake: what arrives is not what it describes. */
function refusesWhatComesBroken(begin: Begin, broken: NewAttachment): void {
  it('are refused as a whole where they come broken', async () => {
    const { client } = await begin()
    const one = statement()
    expect(await statusOf(client.storeWith(one, [broken]))).toBe(400)
    expect(await statusOf(client.find(String(one['id'])))).toBe(404)
  })
}

function answersAsTheyRead(begin: Begin, cases: readonly Case[]): void {
  it.each(cases)('are read back by the library: %s', async (_, sent) => {
    const { account, client } = await begin()
    const one = statement({ attachments: sent.map(describedAs) })
    await sendPlainly(account, one, sent)
    const { statement: found, contents } = await client.findWith(String(one['id']))
    expect(found).toMatchObject(one)
    expect(contents.map((content) => Buffer.from(content))).toEqual(sent.map(bytes))
  })
}

const bytes = ({ content }: NewAttachment): Buffer => Buffer.from(content)

function describedAs({ content, ...described }: NewAttachment): Json {
  return { ...described, length: content.byteLength }
}

/** Clients that stamp statements leave this one alone. */
function signable(): Json {
  return statement({ timestamp: '2026-01-01T12:00:00.000Z' })
}

/** A JSON Web Signature of the statement as it is before it carries one (Data 2.6), with the signer's certificates. */
async function signature(signed: Json, x5c = [signer, root]): Promise<NewAttachment> {
  const jws = await sign(signed, { alg: 'RS256', x5c })
  return {
    ...attachment(new TextEncoder().encode(jws), 'application/octet-stream'),
    usageType: signatureUsage,
    display: { 'en-US': 'Signature' },
  }
}

/** Sends without any library. */
async function sendPlainly(account: ClientAccount, one: Json, sent: readonly NewAttachment[]): Promise<void> {
  const part = (headers: string, content: Uint8Array | string): Buffer =>
    Buffer.concat([Buffer.from(`--limit\r\n${headers}\r\n\r\n`), Buffer.from(content), Buffer.from('\r\n')])
  const parts = [
    part('Content-Type: application/json', JSON.stringify(one)),
    ...sent.map(({ contentType, sha2, content }) =>
      part(
        `Content-Type: ${contentType}\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: ${sha2}`,
        content,
      ),
    ),
  ]
  const response = await fetch(`${account.endpoint}statements`, {
    method: 'POST',
    headers: { ...headersOf(account), 'content-type': 'multipart/mixed; boundary=limit' },
    body: Buffer.concat([...parts, Buffer.from('--limit--\r\n')]),
  })
  expect(response.status, await response.text()).toBe(200)
}

/** Asks without any library, so that what one wrote wrong it does not read wrong as well. */
async function bytesOf(account: ClientAccount, one: Json): Promise<Buffer[]> {
  const url = `${account.endpoint}statements?statementId=${String(one['id'])}&attachments=true`
  const response = await fetch(url, { headers: headersOf(account) })
  const boundary = /boundary="?([^";]+)/.exec(response.headers.get('content-type') ?? '')?.[1]
  const text = Buffer.from(await response.arrayBuffer()).toString('latin1')
  const [, ...parts] = text.split(`--${boundary}`).slice(1, -1)
  return parts.map((part) => {
    const end = part.indexOf('\r\n\r\n')
    const bytes = Buffer.from(part.slice(end + 4, -2), 'latin1')
    const hash = /X-Experience-API-Hash: *(\w+)/i.exec(part.slice(0, end))?.[1]
    expect(hash).toBe(createHash('sha256').update(bytes).digest('hex'))
    return bytes
  })
}

function headersOf({ key, secret }: ClientAccount): Record<string, string> {
  return {
    authorization: `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`,
    'x-experience-api-version': '1.0.3',
  }
}
