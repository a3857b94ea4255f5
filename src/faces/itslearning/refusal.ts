// Why a launch is refused. Whoever opened it sees one page whatever the reason; the reason is for the log, and for `launch diagnose`.

import { DomainError } from '../../core/errors.ts'

/** What a launch may break, in the order in which it is looked at. */
export const rules = {
  'address-long': 'the address is too long',
  'parameters-many': 'there are too many parameters',
  'signature-missing': 'there is no signature, or not at the end, or not one',
  'signature-wrong': 'the signature fits no secret of the platform',
  'parameter-malformed': 'a parameter is not name=value with a plain name',
  'parameter-twice': 'a name stands there twice',
  'value-ambiguous': 'a value could be read as further parameters',
  'encoding-unknown': 'it is not signed as UTF-8',
  'parameter-missing': 'a parameter that decides something is missing',
  'parameter-wrong': 'a parameter that decides something is not what it should be',
  list: 'licences or schools are no lists, or do not fit together',
  licences: 'licences come from an application that has none, or do not from one that has',
  customer: 'the customer is not allowed',
  school: 'none of the schools is allowed',
  time: 'it was signed too long ago, or is yet to be',
  replay: 'it was used before',
  permission: 'the permissions give nothing here',
  unset: 'nothing was chosen for this instance yet',
  platform: 'there is no such platform, or it is switched off',
  author: 'the choice of content is over, or another browser’s',
} as const
export type Rule = keyof typeof rules

/** `message` is for the operator: it names parameters, and no secret. */
export class LaunchRefused extends DomainError {
  readonly rule: Rule

  constructor(rule: Rule, message: string) {
    super(rule === 'unset' ? 'not_found' : 'forbidden', message, { detail: { decidedBy: `launch ${rule}` } })
    this.rule = rule
  }
}
