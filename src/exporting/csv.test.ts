import { parse } from 'csv-parse/sync'
import { expect, it } from 'vitest'
import type { LrsId, OrganisationId } from '../core/ids.ts'
import { csvHeader, csvLine } from './csv.ts'

const place = { lrsId: 7 as LrsId, organisationId: 3 as OrganisationId }
const body = JSON.stringify({ id: 'x', actor: { name: 'Zoë' }, verb: { id: 'urn:v' }, object: { id: 'urn:o' } })
const row = { body, owner: 4, isVoided: false } as unknown as Parameters<typeof csvLine>[0]

it.each([true, false])('has a mark at its begin only where it was asked for: %s', (withBom) => {
  const text = csvHeader({ withBom }) + csvLine(row, 'Key', place)
  expect(text.startsWith('\uFEFF')).toBe(withBom)
  expect(text.replace(/^\uFEFF/, '')).toMatch(/^id,[^\uFEFF]*$/)
})

it('says in each row whose it is, so that files can be joined', () => {
  const [found] = parse(csvHeader({ withBom: true }) + csvLine(row, 'Key', place), {
    columns: true,
    bom: true,
  }) as object[]
  expect(found).toMatchObject({ id: 'x', actor_name: 'Zoë', key_id: '4', key_name: 'Key', lrs: '7', organisation: '3' })
})
