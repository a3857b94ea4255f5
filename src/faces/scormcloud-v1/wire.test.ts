import { describe, expect, it } from 'vitest'
import { cdata, isXmlText, plain, presentFailure, presentSuccess, presentTime } from './wire.ts'

const declaration = '<?xml version="1.0" encoding="utf-8" ?>'

describe('XML', () => {
  it('S1.10 is compact, with its declaration first', () => {
    expect(presentSuccess({ success: '' })).toBe(`${declaration}<rsp stat="ok"><success/></rsp>`)
    const two = { a: { b: [{ c: cdata('1') }, { c: cdata('') }], d: 'true' } }
    expect(presentSuccess(two)).toBe(
      `${declaration}<rsp stat="ok"><a><b><c><![CDATA[1]]></c></b><b><c><![CDATA[]]></c></b><d>true</d></a></rsp>`,
    )
  })

  it('keeps white space that is meant, and splits what would end CDATA', () => {
    expect(presentSuccess({ a: cdata(' x ]]> ') })).toContain('<a><![CDATA[ x ]]]]><![CDATA[> ]]></a>')
  })

  it('escapes text and attributes', () => {
    expect(presentSuccess({ a: plain(`<&>"'`) })).toContain('<a>&lt;&amp;&gt;&quot;&apos;</a>')
    expect(presentFailure(205, `<&>"'`)).toBe(
      `${declaration}<rsp stat="fail"><err code="205" msg="&lt;&amp;&gt;&quot;&apos;"/></rsp>`,
    )
    expect(presentFailure(205, 'true')).toContain('msg="true"')
    expect(presentFailure(205, 'a\r\n\tb')).toContain('msg="a b"')
  })

  it.each(['\u0000', '\u000b', '\u001f', '\uFFFE', '\uFFFF', '\uD800'])('has no way to write %j', (character) => {
    expect(isXmlText(character)).toBe(false)
    for (const text of [presentSuccess({ a: cdata(character), b: plain(character) }), presentFailure(205, character)]) {
      expect(text).not.toContain(character)
      expect(text).toContain('\uFFFD')
    }
  })

  it('writes everything else', () => {
    const text = 'Ü😀\u007f\u0085\uE000\uFFFD'
    expect(isXmlText(text)).toBe(true)
    expect(presentSuccess({ a: cdata(text) })).toContain(text)
  })
})

it('a time is 14 digits', () => {
  expect(presentTime(Date.UTC(2024, 0, 2, 3, 4, 5, 678))).toBe('20240102030405')
})
