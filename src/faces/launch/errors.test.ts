import { describe, expect, it } from 'vitest'
import { DomainError, errorCodes } from '../../core/errors.ts'
import { presentError } from './errors.ts'

const said = 'SQLITE_CORRUPT at /var/lib'
const at = (path: string) => ({ path, requestId: 'r-1' })

describe.each(errorCodes)('%s', (code) => {
  const error = new DomainError(code, said)

  it('is a page for people, which says what to do and not why', () => {
    const { status, body, headers } = presentError(error, at('/launch/s/x'))
    expect(status).toBeGreaterThanOrEqual(400)
    expect(headers?.['Content-Type']).toBe('text/html; charset=utf-8')
    expect(body).toContain('<code>r-1</code>')
    expect(body).not.toContain(said)
  })

  it('is a 200 of cmi5 for content that fetches its token', () => {
    const { status, body } = presentError(error, at('/launch/fetch/x'))
    expect([status, body]).toEqual([200, { 'error-code': '3', 'error-text': said }])
  })

  it('is JSON for content that asks after its launch', () => {
    expect(presentError(error, at('/launch/1/data')).body).toEqual({ code, message: said, requestId: 'r-1' })
  })
})

it('asks people to wait only where that helps', () => {
  const waiting = errorCodes.filter((code) =>
    String(presentError(new DomainError(code, said), at('/launch/s/x')).body).includes('try again in a moment'),
  )
  expect(waiting).toEqual(['rate_limited', 'unavailable', 'internal'])
})
