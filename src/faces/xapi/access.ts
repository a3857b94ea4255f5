// What a request to xAPI would meet, without sending it: the answer to the command line's `ask`. Decides nothing itself:
// the rules, rights, pins and limits are asked of whoever decides for requests.

import { documentRight } from '../../core/documents.ts'
import { isDomainError } from '../../core/errors.ts'
import type { XapiRight } from '../../core/rights.ts'
import { xapiRights } from '../../core/rights.ts'
import { parseDocumentQuery } from '../../core/xapi/document-query.ts'
import type { DocumentKind, DocumentMethod } from '../../core/xapi/document-query.ts'
import { parseJson } from '../../core/xapi/json.ts'
import { parseActivityQuery, parseAgentQuery } from '../../core/xapi/lookup-query.ts'
import type { Subject } from '../../core/xapi/pin.ts'
import { parseStatementsQuery } from '../../core/xapi/query.ts'
import { isObject } from '../../core/xapi/rule.ts'
import { parseVersion } from '../../core/xapi/version.ts'
import type { Access, AskedRequest, Judge, Judgement, XapiPlace } from '../face.ts'
import { pageLimits, requireParams, requireStatementId } from './statements.ts'
import { meantParams, paramsOf } from './call.ts'

/** `place`: where the path leads, for who needs to know. */
export type AccessOf = (asked: AskedRequest, place: () => XapiPlace | Promise<XapiPlace>) => Access | Promise<Access>

export const aboutAccess: AccessOf = ({ method }) => {
  if (method !== 'GET' && method !== 'HEAD') return methodNotOffered(method)
  return { kind: 'public', reason: 'What the server speaks is told to everybody, without any key.' }
}

export const noAccess: AccessOf = () => {
  return { kind: 'refused', decidedBy: 'path', reason: 'xAPI has no resource at this path (404), whichever key asks.' }
}

/** A resource that takes a key, by the judge of each method it offers. */
function keyed(judges: Readonly<Record<string, (it: Case) => Promise<Judgement>>>): AccessOf {
  return async (asked, placeOf) => {
    const judge = judges[asked.method]
    if (judge === undefined) return methodNotOffered(asked.method)
    const place = await placeOf()
    if (place.nothing !== undefined) return { kind: 'refused', decidedBy: 'path', reason: place.nothing }
    return {
      kind: 'key',
      ...(place.within !== undefined && { within: place.within }),
      judge: (core, principal) => {
        return judge({ asked: { ...asked, query: meantParams(principal, asked.query) }, place, core, principal })
      },
    }
  }
}

function methodNotOffered(method: string): Access {
  return { kind: 'refused', decidedBy: 'method', reason: `${method} is not offered here (405), whichever key asks.` }
}

interface Case {
  readonly asked: AskedRequest
  readonly place: XapiPlace
  readonly core: Parameters<Judge>[0]
  readonly principal: Parameters<Judge>[1]
}

export const statementsAccess = keyed({ GET: judgeReading, HEAD: judgeReading, POST: judgeStoring, PUT: judgeStoring })
export const validateAccess = keyed({ POST: judgeStoring })
export const activitiesAccess = keyed({ GET: judgeActivity, HEAD: judgeActivity })
export const agentsAccess = keyed({ GET: judgeAgent, HEAD: judgeAgent })

async function judgeActivity(it: Case): Promise<Judgement> {
  const activityId = parseActivityQuery(paramsOf(it.asked.query), parseVersion(it.asked.version))
  return admitted(it, 'activities/read', { activityId }).decision
}

async function judgeAgent(it: Case): Promise<Judgement> {
  const agent = parseAgentQuery(paramsOf(it.asked.query), parseVersion(it.asked.version))
  return admitted(it, 'agents/read', { agent }).decision
}

export function documentsAccess(kind: DocumentKind): AccessOf {
  const judge = (method: DocumentMethod) => (it: Case) => judgeDocuments(it, kind, method)
  return keyed({
    GET: judge('GET'),
    HEAD: judge('GET'),
    PUT: judge('PUT'),
    POST: judge('POST'),
    DELETE: judge('DELETE'),
  })
}

async function judgeDocuments(it: Case, kind: DocumentKind, method: DocumentMethod): Promise<Judgement> {
  const { asked, core, principal } = it
  const target = parseDocumentQuery(kind, method, paramsOf(asked.query), parseVersion(asked.version))
  const right = documentRight(kind, method === 'GET' ? 'read' : 'write')
  const { decision, lrsId } = admitted(it, right, target.about)
  if (!decision.allowed) return decision
  if (method === 'GET') {
    const { isAbsent, ...explained } = await core.documents.explainGet(principal, lrsId, target)
    return {
      ...explained,
      lrsId,
      ...(isAbsent && { notes: ['There is no document with this id now: the answer is 404.'] }),
    }
  }
  const notes = [
    'Not judged: the content, and whether there is a document already that If-Match or If-None-Match must name.',
  ]
  return { ...decision, notes }
}

async function judgeReading(it: Case): Promise<Judgement> {
  const { lrsId, decision, version } = admitted(it, 'statements/read')
  const { core, principal, asked } = it
  const { statementId, voidedStatementId } = parseStatementsQuery(paramsOf(asked.query), version, pageLimits)
  const id = statementId ?? voidedStatementId
  if (!decision.allowed || id === undefined) return decision
  return core.statements.explainGet(principal, lrsId, id, { isVoided: statementId === undefined })
}

async function judgeStoring(it: Case): Promise<Judgement> {
  const { core, principal, asked } = it
  const { lrsId, decision, version } = admitted(it, 'statements/write')
  const chosen = asked.method === 'PUT' ? { statementId: requireStatementId(asked.query) } : {}
  if (asked.method === 'POST') requireParams(asked.query, [])
  if (!decision.allowed) return decision
  if (asked.body === undefined) return { ...decision, depends: ['the statement'] }
  core.limits.checkLoad(principal, { bodyBytes: Buffer.byteLength(asked.body) })
  try {
    core.statements.check(principal, lrsId, { text: asked.body, version, ...chosen })
  } catch (error) {
    const right = isDomainError(error) && xapiRights.find((name) => name === error.detail.decidedBy)
    // The same refusal, with what would change it apart from the reason.
    if (right) return core.access.explain(principal, { kind: 'xapi', right, lrsId })
    throw error
  }
  const mayNameAuthority = principal.rights.xapi['authority/set'] !== undefined
  return { ...decision, notes: notesOn(asked.body, { hasId: asked.method === 'PUT', mayNameAuthority }) }
}

/** As a call is admitted: version, Lrs and limits before the right. */
function admitted({ asked, place, core, principal }: Case, right: XapiRight, about?: Subject) {
  const version = parseVersion(asked.version)
  const lrsId = place.lrs(principal)
  const arrival = { address: asked.address, origin: asked.origin, version }
  const request = { kind: 'xapi', right, lrsId, arrival, ...(about && { about }) } as const
  return { version, lrsId, decision: { ...core.access.explain(principal, request), lrsId } }
}

function notesOn(
  body: string,
  { hasId, mayNameAuthority }: { readonly hasId: boolean; readonly mayNameAuthority: boolean },
): readonly string[] {
  const statements = [parseJson(body)].flat().filter(isObject)
  const replaced = !mayNameAuthority && statements.some(({ authority }) => authority !== undefined)
  return [
    ...(replaced
      ? ['The authority that the statement names is replaced by the key’s own: it lacks authority/set.']
      : []),
    ...(hasId || statements.some(({ id }) => id !== undefined)
      ? ['Not judged: whether another statement is stored with the same id, which would be a conflict (409).']
      : []),
  ]
}
