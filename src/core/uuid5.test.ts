import { expect, it } from 'vitest'
import { uuid5, uuidOfName } from './uuid5.ts'

it('is what RFC 9562 appendix A.4 has', () => {
  const dns = Buffer.from('6ba7b8109dad11d180b400c04fd430c8', 'hex')
  expect(uuidOfName('www.example.com', dns)).toBe('2ed6657d-e927-568b-95e1-2665a8aea6a2')
})

it('is the same for the same parts, and another for parts that only look alike when joined', () => {
  expect(uuid5(['platform', '14/100', 'ada'])).toBe(uuid5(['platform', '14/100', 'ada']))
  const alike = [['a', 'b"'], ['a","b'], ['ab'], ['a', 'b'], [1], ['1'], ['a', 'b', '']]
  expect(new Set(alike.map((parts) => uuid5(parts))).size).toBe(alike.length)
})
