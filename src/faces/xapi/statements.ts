// The Statement Resource: PUT, POST and GET unpacked and presented. The rules are core's.

import { isDomainError } from '../../core/errors.ts'
import type { DomainError, Failure } from '../../core/errors.ts'
import type { Seq } from '../../core/ids.ts'
import type { Receipt } from '../../core/statements.ts'
import type { StoredStatement } from '../../core/storage.ts'
import { formatCursor, parseStatementsQuery } from '../../core/xapi/query.ts'
import { cut, refusal, shown } from '../../core/xapi/rule.ts'
import { formatStored } from '../../core/xapi/time.ts'
import { methodNotAllowed } from '../http.ts'
import { answerWithAttachments, withStatementsAndParts } from './attachments.ts'
import { admitCall, answer, answerJson, httpDate, mediaTypeOf, paramsOf, readBody } from './call.ts'
import type { AdmittedCall, Call } from './call.ts'
import { confirmCaller } from './caller.ts'
import { presentStatements } from './present.ts'

/** What a GET without a limit, and one with limit=0, answers at most. */
export const pageLimits = { defaultLimit: 100, maxLimit: 1000 }

export function statements(call: Call): Promise<Response> {
  switch (call.method) {
    case 'GET':
    case 'HEAD':
      return getStatements(call)
    case 'POST':
      return postStatements(call)
    case 'PUT':
      return putStatement(call)
    default:
      return Promise.reject(methodNotAllowed(call.method, ['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS']))
  }
}

async function postStatements(call: Call): Promise<Response> {
  const admitted = await admitCall(call)
  requireParams(admitted.params, [])
  const { ids } = await storeBody(admitted)
  call.c.set('statements', ids.length)
  return answerJson(admitted, JSON.stringify(ids))
}

async function putStatement(call: Call): Promise<Response> {
  const admitted = await admitCall(call)
  const statementId = requireStatementId(admitted.params)
  await storeBody(admitted, { statementId })
  call.c.set('statements', 1)
  return answer(admitted, 204, null)
}

/** The one parameter of a PUT. */
export function requireStatementId(params: URLSearchParams): string {
  requireParams(params, ['statementId'])
  const statementId = params.get('statementId')
  if (statementId === null)
    throw failedParam('statementId', 'XAPI-00145', 'The parameter is missing: PUT names the statement it stores.')
  return statementId
}

// ---------------------------------------------------------------------------------------------------------------------
// Reading

async function getStatements(call: Call): Promise<Response> {
  let admitted: AdmittedCall | undefined
  try {
    // XAPI-00155: on every GET, refused ones included. Until it is known who asks, a moment that betrays nothing.
    call.headers[consistentThrough] = new Date(0).toISOString()
    admitted = await admitCall(call)
    return await readAdmitted(admitted)
  } catch (error) {
    if (admitted && !(isDomainError(error) && error.code === 'unavailable')) {
      const through = await call.core.statements.consistentThrough(admitted.lrsId).catch(() => 0)
      call.headers[consistentThrough] = formatStored(through)
    }
    throw error
  }
}

const consistentThrough = 'X-Experience-API-Consistent-Through'

async function readAdmitted(call: AdmittedCall): Promise<Response> {
  const { core, principal, lrsId } = call
  const request = parseStatementsQuery(paramsOf(call.params), call.version, pageLimits)
  const withAttachments = request.attachments
  const id = request.statementId ?? request.voidedStatementId
  if (id !== undefined) {
    const isVoided = request.statementId === undefined
    const found = await core.statements.get(principal, lrsId, id, { isVoided, withAttachments })
    const statements = [found.statement]
    const [body = ''] = await presentStatements(call, statements, request.format)
    return answerStatements(
      call,
      { body, statements, withAttachments },
      {
        [consistentThrough]: formatStored(found.consistentThrough),
        'Last-Modified': httpDate(found.statement.seq),
      },
    )
  }
  const page = await core.statements.list(principal, lrsId, { ...request.query, withAttachments })
  const { statements, next } = page
  const texts = await presentStatements(call, statements, request.format)
  const body = `{"statements":[${texts.join(',')}],"more":${JSON.stringify(moreLink(call, next))}}`
  const headers = { [consistentThrough]: formatStored(page.consistentThrough) }
  return answerStatements(call, { body, statements, withAttachments }, headers)
}

interface Found {
  readonly body: string
  readonly statements: readonly StoredStatement[]
  readonly withAttachments: boolean
}

async function answerStatements(call: AdmittedCall, found: Found, headers: Record<string, string>): Promise<Response> {
  return found.withAttachments ? answerWithAttachments(call, found, headers) : answerJson(call, found.body, headers)
}

/** Same mount, same parameters, continued: the cursor says where, who may read what is decided anew. Empty at the end. */
function moreLink(call: AdmittedCall, next: Seq | undefined): string {
  if (next === undefined) return ''
  const params = new URLSearchParams(call.params)
  params.set('cursor', formatCursor(next))
  return `${call.c.req.path}?${params.toString()}`
}

// ---------------------------------------------------------------------------------------------------------------------
// Writing

/** Stores what the body holds, with or without the data of attachments. */
async function storeBody(call: AdmittedCall, chosen: { readonly statementId?: string } = {}): Promise<Receipt> {
  const { core, principal, lrsId, version } = call
  const { type, isUtf8 } = mediaTypeOf(call)
  if (type === 'multipart/mixed') {
    return withStatementsAndParts(call, (sent) =>
      core.statements.store(principal, lrsId, { ...sent, version, ...chosen }),
    )
  }
  if (type !== 'application/json') {
    const sent = type === '' ? 'the header is missing' : `got ${shown(type.replaceAll(/[^\x20-\x7e]/g, '?'))}`
    throw failedHeader('XAPI-00127', `Expected application/json or multipart/mixed; ${sent}.`)
  }
  if (!isUtf8) {
    throw failedHeader('claviger/utf-8', 'JSON is UTF-8 (RFC 8259 section 8.1); another charset is not accepted.')
  }
  const text = await readBody(call, core.limits.bodyLimit(principal))
  await confirmCaller(call)
  return core.statements.store(principal, lrsId, { text, version, ...chosen })
}

export function requireParams(query: URLSearchParams, known: readonly string[]): void {
  const failures: Failure[] = []
  for (const [name, values] of paramsOf(query)) {
    if (!known.includes(name)) {
      failures.push({
        pointer: `?${cut(name)}`,
        rule: 'XAPI-00324',
        message: 'This parameter is not known here; names are case-sensitive.',
      })
    } else if (values.length > 1) {
      failures.push({
        pointer: `?${cut(name)}`,
        rule: 'claviger/repeated-parameter',
        message: 'Give this parameter once.',
      })
    }
  }
  if (failures.length > 0) throw refusal(failures)
}

function failedParam(name: string, rule: string, message: string): DomainError {
  return refusal([{ pointer: `?${name}`, rule, message }])
}

function failedHeader(rule: string, message: string): DomainError {
  return refusal([{ pointer: 'Content-Type:', rule, message }])
}
