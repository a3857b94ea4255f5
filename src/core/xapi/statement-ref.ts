// References to another statement, as object or in a context.

import { oneOf, record } from './rule.ts'
import { uuid } from './uuid.ts'

export const statementRef = record({
  what: 'a StatementRef',
  rule: 'XAPI-00092',
  members: { objectType: oneOf(['StatementRef'], 'XAPI-00073'), id: uuid('XAPI-00072') },
  required: { objectType: 'XAPI-00073', id: 'XAPI-00072' },
})
