import { describe, expect, it } from 'vitest'
import { cdata, elements, isXmlText, listOf, plain, presentFailure, presentSuccess, presentTime } from './wire.ts'

const declaration = '<?xml version="1.0" encoding="utf-8" ?>'

describe('XML', () => {
  it('S1.10 is compact, with its declaration first', () => {
    expect(presentSuccess(elements({ success: '' }))).toBe(`${declaration}<rsp stat="ok"><success/></rsp>`)
    const two = { a: { b: [{ c: cdata('1') }, { c: cdata('') }], d: 'true' } }
    expect(presentSuccess(elements(two))).toBe(
      `${declaration}<rsp stat="ok"><a><b><c><![CDATA[1]]></c></b><b><c><![CDATA[]]></c></b><d>true</d></a></rsp>`,
    )
  })

  it('is a list of any length, others having their turn', async () => {
    expect(await listOf('list', [], () => ({}))).toBe('<list/>')
    expect(await listOf('list', ['1', '2'], (it) => ({ a: it }))).toBe('<list><a>1</a><a>2</a></list>')
    let turns = 0
    const counting = setInterval(() => void turns++, 1)
    const long = await listOf('list', Array(20_000).fill('x'), (it) => ({ a: cdata(it) }))
    clearInterval(counting)
    expect(long).toHaveLength('<list></list>'.length + 20_000 * '<a><![CDATA[x]]></a>'.length)
    expect(turns).toBeGreaterThan(1)
  })

  it('keeps white space that is meant, and splits what would end CDATA', () => {
    expect(elements({ a: cdata(' x ]]> ') })).toContain('<a><![CDATA[ x ]]]]><![CDATA[> ]]></a>')
  })

  it('escapes text and attributes', () => {
    expect(elements({ a: plain(`<&>"'`) })).toContain('<a>&lt;&amp;&gt;&quot;&apos;</a>')
    expect(presentFailure(205, `<&>"'`)).toBe(
      `${declaration}<rsp stat="fail"><err code="205" msg="&lt;&amp;&gt;&quot;&apos;"/></rsp>`,
    )
    expect(presentFailure(205, 'true')).toContain('msg="true"')
    expect(presentFailure(205, 'a\r\n\tb')).toContain('msg="a b"')
  })

  it.each(['\u0000', '\u000b', '\u001f', '\uFFFE', '\uFFFF', '\uD800'])('has no way to write %j', (character) => {
    expect(isXmlText(character)).toBe(false)
    for (const text of [elements({ a: cdata(character), b: plain(character) }), presentFailure(205, character)]) {
      expect(text).not.toContain(character)
      expect(text).toContain('\uFFFD')
    }
  })

  it('writes everything else', () => {
    const text = 'Ü😀\u007f\u0085\uE000\uFFFD'
    expect(isXmlText(text)).toBe(true)
    expect(elements({ a: cdata(text) })).toContain(text)
  })
})

it('a time is 14 digits', () => {
  expect(presentTime(Date.UTC(2024, 0, 2, 3, 4, 5, 678))).toBe('20240102030405')
})
