import { expect, it } from 'vitest'
import { isMediaType } from './media-type.ts'

it.each(['text/plain', 'a/b;', 'Text/HTML ; charset="ISO-8859-1"', 'a/b; name="\xe9"', `a/b;${'x'.repeat(996)}`])(
  '%s can stand in a header',
  (text) => expect(isMediaType(text)).toBe(true),
)

it.each([
  '',
  ' ',
  'text',
  'text/',
  'text/☃',
  'a/b;☃',
  'a/b\r\nX: y',
  'a/b;\r\nX: y',
  'a/b;\0',
  'a/b;\x7f',
  ' a/b',
  'a/b c',
])('%j cannot', (text) => expect(isMediaType(text)).toBe(false))

it('is not looked for in what is too long for a header', () => {
  expect(isMediaType(`a/b;${'x'.repeat(997)}`)).toBe(false)
  expect(isMediaType(`${'a'.repeat(1_000_000)}/b`)).toBe(false)
})
