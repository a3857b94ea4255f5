// A row of the statements collection, in all the forms it has had (facts 4), as what is to be stored. Knows nothing of where it goes.

import { DomainError } from '../../core/errors.ts'
import type { Oid } from '../../core/ids.ts'
import { decodeDots } from './dots.ts'
import { isMembers, oidOf, plain, timeOf } from './extended-json.ts'
import type { Members, OnRounded } from './extended-json.ts'
import { storeOf } from './directory-documents.ts'

export interface StatementDocument {
  /** As xAPI gave it back there. */
  readonly statement: Members
  readonly organisation: Oid | undefined
  readonly store: Oid | undefined
  readonly client: Oid | undefined
  readonly isVoided: boolean
}

/** The source of truth is `statement`; all but whose it is and whether it is voided is derived from that. */
export function readStatement(document: Members, onRounded: OnRounded): StatementDocument {
  const row = document['statement']
  if (!isMembers(row)) throw new DomainError('invalid', 'It has no statement.')
  const statement = decodeDots(plain(row, onRounded) as Members)
  return {
    statement: 'stored' in statement ? statement : { ...statement, stored: storedOf(document) },
    organisation: oidOf(document['organisation']) as Oid | undefined,
    store: storeOf(document),
    client: (oidOf(document['client']) ?? oidOf(document['client_id'])) as Oid | undefined,
    isVoided: document['voided'] === true,
  }
}

/** v1 kept it beside the statement. */
function storedOf(document: Members): string | undefined {
  const time = timeOf(document['stored']) ?? timeOf(document['createdAt']) ?? timeOf(document['created_at'])
  return time === undefined ? undefined : new Date(time).toISOString()
}
