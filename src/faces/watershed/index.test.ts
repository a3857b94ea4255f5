import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Core } from '../../core/core.ts'
import { DomainError, errorCodes } from '../../core/errors.ts'
import { findPreset } from '../../core/presets.ts'
import type { LrsId } from '../../core/ids.ts'
import type { CredentialRecord, OrganisationRecord, SecretRecord } from '../../core/storage.ts'
import { presentError, presentTokenError } from './errors.ts'
import { endpoints, tokenPath, watershed } from './index.ts'

const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8')
const context = { requestId: 'r1' }

it('the endpoint table of the README is the route list', () => {
  const rows = [...readme.matchAll(/^\| (GET|POST|PUT|DELETE) \| (\S+) \|.*\| done \|$/gm)]
  const documented = rows.map(([, method, path]) => `${method} ${path}`)
  const routed = endpoints.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
  expect(documented).toEqual([...routed, `POST ${tokenPath}`])
})

it('the switches of the README are those that exist', () => {
  const documented = [...readme.matchAll(/^\| `watershed\.([\w-]+)` \|/gm)].map(([, name]) => name)
  expect(documented).toEqual(watershed.switches?.map(({ name }) => name))
  for (const { schema, default: value } of watershed.switches ?? []) expect(schema.parse(value)).toBe(value)
})

describe('errors', () => {
  it.each(errorCodes)('%s has a status, and the two members of Watershed', (code) => {
    const { status, body } = presentError(new DomainError(code, 'Why.'), context)
    expect(status).toBeGreaterThanOrEqual(400)
    expect(body).toEqual({ message: expect.any(String), status })
    expect(presentTokenError(new DomainError(code, 'Why.'), context).body).toMatchObject({
      error: expect.stringMatching(/^[a-z_]+$/),
      status,
    })
  })

  it('a defect of ours says nothing of itself but where to look', () => {
    const error = new DomainError('internal', 'SQLITE_CORRUPT', { cause: new Error('secret') })
    expect(presentError(error, context).body).toEqual({
      message: 'HTTP 500 Internal Server Error (request r1)',
      status: 500,
    })
  })

  it('many failures, or long ones, are cut', () => {
    const failures = Array.from({ length: 25 }, (_, index) => ({ pointer: `/${index}`, rule: 'r', message: 'no' }))
    const { body } = presentError(new DomainError('invalid', 'Bad', { detail: { failures } }), context)
    expect((body as { message: string }).message).toMatch(/^\/0: no; \/1: no; .*; \/19: no; and 5 more$/)
    const long = presentError(new DomainError('invalid', 'x'.repeat(100_000)), context).body as { message: string }
    expect(long.message.length).toBeLessThan(9000)
  })
})

describe('what the command line asks', () => {
  const access = (method: string, path: string) =>
    watershed.accessFor?.({ method, path, query: new URLSearchParams(), version: '' }, {} as Core)

  it.each([
    ['GET', '/api/organizations/7/activity-providers'],
    ['HEAD', '/api/organizations/7/activity-providers/self'],
    ['DELETE', '/api/organizations/7/activity-providers/12'],
    ['POST', '/api/organizations/7/activity-providers/self/sessions'],
    ['POST', '/api/organizations/7/oauth2/token'],
  ])('%s %s is decided by the key, in the organisation of the path', (method, path) => {
    expect(access(method, path)).toMatchObject({ kind: 'key', within: 7 })
  })

  it.each([
    ['PATCH', '/api/organizations/7/activity-providers', 'method'],
    ['GET', '/api/organizations/7/oauth2/token', 'method'],
    ['GET', '/api/organizations/7/activity-providers/12/secrets', 'path'],
  ])('%s %s is nobody’s', (method, path, decidedBy) => {
    expect(access(method, path)).toMatchObject({ kind: 'refused', decidedBy })
  })

  it('a credential looks as the API would show it, with the secret that counts', () => {
    const secret = (id: string, more: Partial<SecretRecord> = {}): { record: SecretRecord; clear: string } => {
      const record = { id, name: 'x', isEnabled: true, createdAt: 0, expiresAt: null, ...more } as SecretRecord
      return { record, clear: `clear ${id}` }
    }
    const shown = watershed.showCredential?.({
      organisation: { id: 7, defaultLrsId: 1 } as OrganisationRecord,
      applications: [],
      lrs: [],
      baseUrl: 'https://lrs.example.org',
      credential: {
        id: 12,
        createdAt: Date.UTC(2026, 0, 2),
        version: 3,
        name: 'Course',
        key: 'k',
        isEnabled: true,
        expiresAt: null,
        rights: findPreset('isolated')!.rights,
        words: {},
        lrsIds: [1 as LrsId],
      } as unknown as CredentialRecord,
      secrets: [secret('old', { expiresAt: 4e12 }), secret('new'), secret('off', { isEnabled: false })],
    })
    expect(JSON.stringify(shown)).toBe(
      '{"id":12,"created":"2026-01-02T00:00:00.000Z","version":3,"name":"Course","key":"k","secret":"clear new",' +
        '"active":true,"lrsAccess":"isolated","watershedApiAccess":"disabled"}',
    )
  })
})
