// Unmodified client libraries from npm in pages of a real Chromium, from another origin than the started program.

import { afterAll, beforeAll, describe } from 'vitest'
import { chromium } from './chromium.ts'
import { describeDescriptions } from './descriptions.ts'
import { sharedProgram } from './setting.ts'
import { describeStatements } from './statements.ts'

const program = sharedProgram()
const pages = chromium()
beforeAll(() => Promise.all([program.start(), pages.start()]))
afterAll(() => Promise.all([program.stop(), pages.stop()]))

const libraries = (['xapiwrapper', 'tincanjs', 'xapiOverAxios', 'xapiOverFetch'] as const).map(pages.library)

describe.each(libraries)('$name', (library) => {
  const setting = program.at('/xapi/')
  describeStatements(library, setting)
  describeDescriptions(library, setting)
})
