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
// One library in one place is enough to see the program on the other engine; the rest is the same code there.
const everywhere = [tincanjsInNode(TinCan), xapiOverAxiosInNode(XAPI), xapiOverFetch(XAPI)]
const scenes = [
  { engine: 'sqlite', libraries: everywhere, paths: ['/xapi/', '/api/organizations/1/lrs/'] },
  { engine: 'postgres', libraries: everywhere.slice(0, 1), paths: ['/xapi/'] },
] as const

describe.each(scenes)('on $engine', ({ engine, libraries, paths }) => {
  const program = sharedProgram(engine)
  beforeAll(() => program.start())
  afterAll(() => program.stop())

  describe.each([...libraries])('$name', (library) => {
    describe.each([...paths])('at %s', (endpointPath) => {
      const setting = program.at(endpointPath)
      describeStatements(library, setting)
      describeDocuments(library, setting)
      describeDescriptions(library, setting)
      describeAttachments(library, setting)
      describeRights(library, setting)
    })
  })
})
