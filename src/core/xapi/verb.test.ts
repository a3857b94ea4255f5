import { describe, expect, it } from 'vitest'
import { aStatement, brokenRules, inBoth, someVerb } from '../../../test/support/statement.ts'

describe('Verbs', () => {
  it.each(inBoth({ verb: { display: { en: 'did' } } }))('XAPI-00044 need an id in %s', (_, prefix, statement) => {
    expect(brokenRules(statement)).toEqual([`${prefix}/verb XAPI-00044`])
  })

  it.each(['did', 'ab=c://should.fail.com', '', 5])('XAPI-00044 id is an IRI, not %j', (id) => {
    expect(brokenRules(aStatement({ verb: { id } }))).toEqual(['/verb/id XAPI-00044'])
  })

  it.each([12345, 'attended', []])('XAPI-00045 display is a language map, not %j', (display) => {
    expect(brokenRules(aStatement({ verb: { ...someVerb, display } }))).toEqual(['/verb/display XAPI-00045'])
  })

  it('XAPI-00045 display maps to strings, XAPI-00001 never to null', () => {
    expect(brokenRules(aStatement({ verb: { ...someVerb, display: { en: 5, de: null } } }))).toEqual([
      '/verb/display/en XAPI-00045',
      '/verb/display/de XAPI-00001',
    ])
  })

  it.each(inBoth({ verb: { ...someVerb, display: { a12345678: 'x' } } }))(
    'XAPI-00121 display has language tags in %s',
    (_, prefix, statement) => {
      expect(brokenRules(statement)).toEqual([`${prefix}/verb/display/a12345678 XAPI-00121`])
    },
  )

  it('XAPI-00006 is an object', () => {
    expect(brokenRules(aStatement({ verb: 'did' }))).toEqual(['/verb XAPI-00006'])
  })

  it('XAPI-00010 has id and display only', () => {
    expect(brokenRules(aStatement({ verb: { ...someVerb, name: 'x' } }))).toEqual(['/verb/name XAPI-00010'])
  })
})
