import { describe, expect, it } from 'vitest'
import { aStatement, brokenRules, inBoth } from '../../../test/support/statement.ts'
import type { Failure } from '../errors.ts'
import { listAttachments, signatureUsage } from './attachment.ts'
import { checkStatement } from './statement.ts'

const attachment = {
  usageType: 'https://example.com/usage',
  display: { en: 'A file' },
  contentType: 'text/plain; charset=ascii',
  length: 27,
  sha2: '495395e777cd98da653df9615d09c0fd6bb2f8d4788394cd53c56a3bfdcd848a',
  fileUrl: 'https://example.com/file.txt',
}

const signature = { ...attachment, usageType: signatureUsage, contentType: 'application/octet-stream' }

function rulesFor(changes: Record<string, unknown>): string[] {
  return brokenRules(aStatement({ attachments: [{ ...attachment, ...changes }] }))
}

function without(name: keyof typeof attachment): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attachment).filter(([key]) => key !== name))
}

describe('Attachments', () => {
  it.each(inBoth({ attachments: [attachment] }))('are accepted in %s', (_place, _prefix, statement) => {
    expect(brokenRules(statement)).toEqual([])
  })

  it.each([attachment, 'text', 5])('XAPI-00025 attachments is an array, not %j', (attachments) => {
    expect(brokenRules(aStatement({ attachments }))).toEqual(['/attachments XAPI-00025'])
  })

  it.each([12345, 'text', []])('XAPI-00025 an Attachment is an object, not %j', (item) => {
    expect(brokenRules(aStatement({ attachments: [item] }))).toEqual(['/attachments/0 XAPI-00025'])
  })

  it.each([
    ['usageType', 'should fail', 'XAPI-00107'],
    ['display', 'should fail', 'XAPI-00106'],
    ['description', 12345, 'XAPI-00106'],
    ['contentType', 12345, 'XAPI-00105'],
    ['contentType', 'text', 'XAPI-00105'],
    ['contentType', 'text/', 'XAPI-00105'],
    ['length', '27', 'XAPI-00102'],
    ['length', 2.5, 'XAPI-00102'],
    ['length', -1, 'XAPI-00102'],
    ['sha2', 12345, 'XAPI-00103'],
    ['sha2', 'abc', 'XAPI-00103'],
    ['sha2', attachment.sha2.replace('4', 'g'), 'XAPI-00103'],
    ['fileUrl', 'should fail', 'XAPI-00104'],
  ])('%s must not be %j: %s', (name, value, rule) => {
    expect(rulesFor({ [name]: value })).toEqual([`/attachments/0/${name} ${rule}`])
    expect(rulesFor({ [name]: null })).toEqual([`/attachments/0/${name} XAPI-00001`])
  })

  it.each([
    ['usageType', 'XAPI-00107'],
    ['display', 'XAPI-00106'],
    ['contentType', 'XAPI-00105'],
    ['length', 'XAPI-00102'],
    ['sha2', 'XAPI-00103'],
  ] as const)('%s is required: %s', (name, rule) => {
    expect(brokenRules(aStatement({ attachments: [without(name)] }))).toEqual([`/attachments/0 ${rule}`])
  })

  it('XAPI-00129 without fileUrl its data would have to come along', () => {
    expect(brokenRules(aStatement({ attachments: [without('fileUrl')] }))).toEqual(['/attachments/0 XAPI-00129'])
  })

  it('XAPI-00129 unless it follows the statements, which is seen later', () => {
    const failures: Failure[] = []
    const statement = aStatement({ attachments: [without('fileUrl'), { ...signature, fileUrl: undefined }] })
    checkStatement(JSON.parse(JSON.stringify(statement)), { version: '1.0', failures, partsFollow: true })
    expect(failures).toEqual([])
  })

  it('XAPI-00115 a signature comes along, "fileUrl" or not', () => {
    expect(brokenRules(aStatement({ attachments: [signature] }))).toEqual(['/attachments/0 XAPI-00115'])
  })

  it.each(['text/plain', 'application/octet-streams', 'application/json'])(
    'XAPI-00115 a signature is application/octet-stream, not %s',
    (contentType) => {
      const failures: Failure[] = []
      const statement = aStatement({ attachments: [{ ...signature, contentType }] })
      checkStatement(statement, { version: '1.0', failures, partsFollow: true })
      expect(failures).toMatchObject([{ pointer: '/attachments/0/contentType', rule: 'XAPI-00115' }])
    },
  )

  it.each([
    ['display', { something: 'x' }],
    ['description', { 'zh-z-aaa-z-bbb-c-ccc': 'x' }],
  ])('XAPI-00121 %s has language tags', (name, map) => {
    expect(rulesFor({ [name]: map })).toEqual([`/attachments/0/${name}/${Object.keys(map)[0]} XAPI-00121`])
  })

  it('XAPI-00008 XAPI-00010 no other member', () => {
    expect(rulesFor({ fileURL: 'https://a.example', name: 'x' })).toEqual([
      '/attachments/0/fileURL XAPI-00008',
      '/attachments/0/name XAPI-00010',
    ])
  })
})

it('lists the attachments of a statement and of its SubStatement, which is not signed', () => {
  const { fileUrl: _, ...bare } = { ...attachment, sha2: attachment.sha2.toUpperCase() }
  const object = { objectType: 'SubStatement', ...aStatement({ attachments: [signature] }) }
  expect(listAttachments(aStatement({ object, attachments: [bare, signature] }))).toMatchObject([
    { pointer: '/attachments/0', sha2: attachment.sha2, hasFileUrl: false, isSignature: false },
    { pointer: '/attachments/1', contentType: 'application/octet-stream', hasFileUrl: true, isSignature: true },
    { pointer: '/object/attachments/0', isSignature: false },
  ])
})
