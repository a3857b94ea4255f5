// Unmodified client libraries from npm, in Node, against the started program.

import module from '@xapi/xapi'
import TinCan from 'tincanjs'
import { afterAll, beforeAll, describe } from 'vitest'
import { describeAttachments } from './attachments.ts'
import { describeDescriptions } from './descriptions.ts'
import { describeDocuments } from './documents.ts'
import { describeRights } from './rights.ts'
import { sharedProgram } from './setting.ts'
import { describeStatements } from './statements.ts'
import { tincanjsInNode } from './tincanjs-client.ts'
import { xapiOverAxiosInNode, xapiOverFetch } from './xapi-client.ts'

const XAPI = module.default
const program = sharedProgram()
beforeAll(() => program.start())
afterAll(() => program.stop())

describe.each([tincanjsInNode(TinCan), xapiOverAxiosInNode(XAPI), xapiOverFetch(XAPI)])('$name', (library) => {
  describe.each(['/xapi/', '/api/organizations/1/lrs/'])('at %s', (endpointPath) => {
    const setting = program.at(endpointPath)
    describeStatements(library, setting)
    describeDocuments(library, setting)
    describeDescriptions(library, setting)
    describeAttachments(library, setting)
    describeRights(library, setting)
  })
})
