// The parameters of a resource as a table of rules: names, values, which must be given. Knows no particular resource.

import type { Failure } from '../errors.ts'
import { isDomainError } from '../errors.ts'
import { checkIdentifiedAgent } from './agent.ts'
import { parseJson } from './json.ts'
import type { Rule } from './rule.ts'
import { Check, cut, inOtherCase, suggestion } from './rule.ts'
import type { XapiVersion } from './version.ts'

/** As decoded from the query, or from the form of the alternate request syntax. */
export type Params = ReadonlyMap<string, readonly string[]>

export interface ParameterTable {
  /** Every parameter that may occur. Names are case-sensitive (XAPI-00325). */
  readonly rules: ReadonlyMap<string, Rule>
  /** Those that must occur, each with the rule that says so. */
  readonly required?: Readonly<Record<string, string>>
  /** Taken, but not told to those who guess. */
  readonly unlisted?: readonly string[]
}

/** All failures, each with the pointer `?name`. */
export function checkParameters(params: Params, table: ParameterTable, version: XapiVersion): Failure[] {
  const failures: Failure[] = []
  for (const [name, values] of params) {
    checkParameter(name, values, table, new Check({ version, failures, pointer: `?${cut(name)}` }))
  }
  for (const [name, rule] of Object.entries(table.required ?? {})) {
    if (!params.has(name)) failures.push({ pointer: `?${name}`, rule, message: 'The parameter is missing.' })
  }
  return failures
}

function checkParameter(name: string, values: readonly string[], table: ParameterTable, check: Check): void {
  const rule = table.rules.get(name)
  if (rule === undefined) return refuseUnknown(name, table, check)
  if (values.length > 1) check.refuse('claviger/repeated-parameter', 'Give this parameter once.')
  rule(values[0], check)
}

/** XAPI-00324, and XAPI-00325 for a known name in another case. */
function refuseUnknown(name: string, { rules, unlisted = [] }: ParameterTable, check: Check): void {
  if (check.isFull) return
  const known = [...rules.keys()].filter((candidate) => !unlisted.includes(candidate))
  const meant = inOtherCase(name, known)
  if (meant !== undefined) check.refuse('XAPI-00325', `Names are case-sensitive: write "${meant}".`)
  else
    check.refuse(
      'XAPI-00324',
      `Not a parameter of this resource${suggestion(name, known)}, which has: ${known.join(', ')}.`,
    )
}

/** An Agent or an identified Group as JSON; `rule` is broken by what is no JSON. */
export function agentParameter(rule: string): Rule {
  return (value, check) => {
    try {
      checkIdentifiedAgent(parseJson(String(value)), {
        version: check.version,
        failures: check.failures,
        pointer: '?agent',
      })
    } catch (error) {
      if (!isDomainError(error)) throw error
      check.refuse(rule, `Expected an Agent or an identified Group as JSON. ${error.message}`)
    }
  }
}
