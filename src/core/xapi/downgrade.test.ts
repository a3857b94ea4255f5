import { describe, expect, it } from 'vitest'
import { aStatement, brokenRules } from '../../../test/support/statement.ts'
import { toVersion1 } from './downgrade.ts'
import type { Statement } from './statement.ts'

const contextAgents = [{ objectType: 'contextAgent', agent: { mbox: 'mailto:a@example.org' } }]
const contextGroups = [{ objectType: 'contextGroup', group: { objectType: 'Group', mbox: 'mailto:g@example.org' } }]
const sub = (context: object | undefined) => ({
  objectType: 'SubStatement',
  actor: { mbox: 'mailto:a@example.org' },
  verb: { id: 'http://example.org/did' },
  object: { id: 'http://example.org/one' },
  ...(context && { context }),
})

describe('what a reader of 1.0.x gets', () => {
  it.each([
    ['both gone, the rest kept', { language: 'en', contextAgents, contextGroups }, { language: 'en' }],
    ['an empty context gone', { contextAgents }, undefined],
    ['another context as it is', { language: 'en' }, { language: 'en' }],
  ])('%s, in a SubStatement, too', (_, context, expected) => {
    const stored = aStatement({ version: '2.0.0', context, object: sub(context) }) as Statement
    const copy = structuredClone(stored)
    const shown = toVersion1(stored)
    expect(shown['context']).toEqual(expected)
    expect(shown['object']).toEqual(sub(expected))
    expect(shown['version']).toBe('1.0.0')
    expect(brokenRules(shown, '1.0')).toEqual([])
    expect(toVersion1(shown)).toEqual(shown)
    expect(stored).toEqual(copy)
  })

  it('a statement of 1.0.x as it is, and names inside extensions', () => {
    const extensions = { 'http://example.org/x': { contextAgents } }
    const stored = aStatement({ version: '1.0.2', context: { extensions } }) as Statement
    expect(toVersion1(stored)).toEqual(stored)
  })
})
