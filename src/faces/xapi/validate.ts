// POST /extensions/validate: answers a submission as POST /statements would, and stores nothing.
// The specification reserves /extensions for resources of the server's own (IEEE 9274.1.1, 4.1.6).

import type { Verdict } from '../../core/statements.ts'
import { refusal, shown } from '../../core/xapi/rule.ts'
import type { Statement } from '../../core/xapi/statement.ts'
import { admitCall, answerJson, mediaTypeOf, readBody } from './call.ts'
import type { AdmittedCall, Call } from './call.ts'
import { requireParams } from './statements.ts'

/** Below the mount. */
export const validatePath = '/extensions/validate'

/** Under which About says where it is. */
export const validateExtension = 'urn:claviger:extensions:validate'

export async function validate(call: Call): Promise<Response> {
  const admitted = await admitCall(call)
  requireParams(admitted.params, [])
  requireJson(admitted)
  const { core, principal, lrsId, version } = admitted
  const text = await readBody(admitted, core.limits.bodyLimit(principal))
  const verdicts = await core.statements.validate(principal, lrsId, { text, version })
  const sent = [JSON.parse(text) as Statement | Statement[]].flat()
  const statements = verdicts.map((verdict, index) => present(verdict, index, sent[index] ?? {}))
  return answerJson(admitted, JSON.stringify({ stored: 'nothing', statements }))
}

// Bytes of attachments are checked where they are stored, as they flow.
function requireJson(call: AdmittedCall): void {
  const { type, isUtf8 } = mediaTypeOf(call)
  if (type === 'application/json' && isUtf8) return
  const found = type === 'application/json' ? 'another charset' : shown(type.replaceAll(/[^\x20-\x7e]/g, '?'))
  const message = `Expected application/json in UTF-8, got ${found}: statements are validated without their attachments’ bytes.`
  throw refusal([{ pointer: 'Content-Type:', rule: 'XAPI-00127', message }])
}

/** `stamped`: the members that the server would add or replace, with what is known of them. */
function present({ id, result, statement }: Verdict, index: number, sent: Statement): object {
  const { authority, version } = statement
  return {
    index,
    ...(sent['id'] !== undefined && { id }),
    result,
    stamped: {
      ...(sent['id'] === undefined && { id: 'a new UUID' }),
      ...(JSON.stringify(sent['authority']) !== JSON.stringify(authority) && { authority }),
      ...(sent['version'] === undefined && { version }),
      ...(sent['timestamp'] === undefined && { timestamp: 'when it is stored' }),
      stored: 'when it is stored',
    },
  }
}
