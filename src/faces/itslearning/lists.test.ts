import { describe, expect, it } from 'vitest'
import { readFields, readLicences, readSchools, writeFields } from './lists.ts'

describe('readFields', () => {
  it.each([
    ['', ['']],
    ['a', ['a']],
    // LicenseHelperTest of the vendor's library.
    [String.raw`i,a\\m,external\,`, ['i', String.raw`a\m`, 'external,']],
    [String.raw`temp\\license2\,3,,`, [String.raw`temp\license2,3`, '', '']],
    [',', ['', '']],
    [',,,', ['', '', '', '']],
    [String.raw`\\\\,\,`, [String.raw`\\`, ',']],
  ])('%s', (text, fields) => expect(readFields(text)).toEqual(fields))

  it('a backslash at the end takes nothing', () => expect(readFields('a\\')).toBeUndefined())

  it('reads what writeFields wrote', () => {
    const fields = ['', ',', '\\', '\\,', 'a,b\\c', '']
    expect(readFields(writeFields(fields))).toEqual(fields)
  })
})

describe('readLicences', () => {
  it('S3.8 pairs them by position', () => {
    expect(readLicences('101,104,105', String.raw`temp\\license2\,3,,`)).toEqual([
      { id: '101', externalId: String.raw`temp\license2,3` },
      { id: '104' },
      { id: '105' },
    ])
  })
  it('one licence may have no id of one’s own', () => {
    expect(readLicences('101', '')).toEqual([{ id: '101' }])
  })
  it.each([
    ['101,104', 'a'],
    ['101', 'a,b'],
    ['', ''],
    ['101,', 'a,'],
    ['101, 104', 'a,b'],
    ['-1', 'a'],
    ['101', 'a\\'],
  ])('S3.8 refuses %j with %j', (ids, externalIds) => expect(readLicences(ids, externalIds)).toBeUndefined())
})

describe('readSchools', () => {
  it('S3.9 reads the sample of the reference', () => {
    const schools = readSchools('3|HullPrimary,2|,5|,4|,14|,28|,25|,22|,13|,26|')
    expect(schools?.map(({ id }) => id)).toEqual(['3', '2', '5', '4', '14', '28', '25', '22', '13', '26'])
    expect(schools?.map(({ legalId }) => legalId)).toEqual([
      'HullPrimary',
      ...Array.from({ length: 9 }, () => undefined),
    ])
  })
  it('reads what the vendor’s library reads', () => {
    expect(readSchools(String.raw`123|Newcastle\,upon Tyne,124| abc, 127| London HS1,`)).toEqual([
      { id: '123', legalId: 'Newcastle,upon Tyne' },
      { id: '124', legalId: 'abc' },
      { id: '127', legalId: 'London HS1' },
    ])
  })
  it('may have no bar, and none at all', () => {
    expect(readSchools('5')).toEqual([{ id: '5' }])
    expect(readSchools('')).toEqual([])
  })
  it.each(['x|y', '|y', '1|a,,2|b', '1|a\\', '12345678901|', `${'1,'.repeat(1001)}`])('refuses %.20s', (text) =>
    expect(readSchools(text)).toBeUndefined(),
  )
})
