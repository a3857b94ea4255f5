import { describe, expect, it } from 'vitest'
import { toPerson } from './person.ts'

const known = (...names: string[]) => names.map((name) => ({ text: JSON.stringify(name), isShared: false, firstAt: 0 }))

describe('a Person', () => {
  it.each([
    ['mbox', 'mailto:ann@example.com'],
    ['mbox_sha1sum', 'a'.repeat(40)],
    ['openid', 'https://ann.example.com'],
    ['account', { homePage: 'https://lms.example.com', name: 'ann' }],
  ])('has the identifier it was asked by in an array: %s', (name, value) => {
    expect(toPerson({ objectType: 'Agent', [name]: value }, [])).toEqual({ objectType: 'Person', [name]: [value] })
  })

  it('has every known name once, in order, and the one it was asked by last', () => {
    const ann = { mbox: 'mailto:ann@example.com' }
    expect(toPerson({ ...ann, name: 'A' }, known('Ann', 'Anna'))['name']).toEqual(['Ann', 'Anna', 'A'])
    expect(toPerson({ ...ann, name: 'Anna' }, known('Ann', 'Anna'))['name']).toEqual(['Ann', 'Anna'])
    expect(toPerson({ ...ann, name: 'A' }, [])['name']).toEqual(['A'])
    expect(toPerson(ann, [])).not.toHaveProperty('name')
  })
})
