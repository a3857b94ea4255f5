// The operations on applications of the realm. Counts of courses and registrations are zero: there are none here.

import { z } from 'zod'
import { checkName } from '../../core/check.ts'
import { isDomainError } from '../../core/errors.ts'
import type { ApplicationId } from '../../core/ids.ts'
import type { ApplicationRecord, Json } from '../../core/storage.ts'
import { HttpError } from '../http.ts'
import { bodyOf, queryOf } from './auth.ts'
import type { Call } from './auth.ts'
import { pageSize, readList, writeMore } from './page.ts'
import { flag, flagIn, readBody, text, writeTime } from './wire.ts'

const counts = ['includeCourseCount', 'includeRegistrationCount'] as const
const list = { list: 'applications', filterBy: ['app_id', 'app_name'], include: counts } as const

const name = text((value) =>
  value === '' ? [{ pointer: '', rule: '', message: 'must not be empty' }] : checkName(value),
)
const newApplication = z.object({ name })
const change = z.object({ name, allowDelete: flag }).partial()

export async function createApplication(call: Call): Promise<Response> {
  const input = readBody(newApplication, await bodyOf(call))
  return call.c.json(shortly(await call.core.applications.create(call.principal, input)))
}

/** All of them, unpaged, as clients before version 3 expect it. */
export async function getApplicationList({ c, core, principal }: Call): Promise<Response> {
  const applications: ApplicationRecord[] = []
  for (;;) {
    const last = applications.at(-1)
    const after = last && { at: last.createdAt, id: last.id }
    const query = { by: 'createdAt', isDescending: false, limit: 1000, ...(after && { after }) } as const
    const { items } = await core.applications.list(principal, query)
    if (items.length === 0) return c.json({ applications: applications.map(shortly) })
    applications.push(...items)
  }
}

export async function getApplications(call: Call): Promise<Response> {
  const query = readList(queryOf(call), list)
  const { filter, after, isCounted, include, ...rest } = query
  const listed = await call.core.applications.list(call.principal, {
    ...rest,
    ...(filter && { filter: { by: filter.by === 'app_name' ? 'name' : 'id', text: filter.text } }),
    ...(after && { after: { at: after.at, id: after.id as ApplicationId } }),
    // One more tells whether there is another page.
    limit: pageSize + 1,
  })
  const page = listed.items.slice(0, pageSize)
  const last = page.at(-1)
  const more = last && listed.items.length > pageSize && writeMore(list.list, query, { at: last[rest.by], id: last.id })
  const body = { applications: page.map((record) => presentApplication(record, include)), ...(more && { more }) }
  return call.c.json(body, 200, isCounted ? { 'X-Total-Count': String(listed.total) } : {})
}

export async function getApplicationInfo(call: Call): Promise<Response> {
  const query = queryOf(call)
  const include = counts.filter((count) => flagIn(query, count) ?? false)
  const record = await call.core.applications.get(call.principal, childOf(call))
  return call.c.json(presentApplication(record, include))
}

export async function updateApplication(call: Call): Promise<Response> {
  const { allowDelete, ...rest } = readBody(change, await bodyOf(call))
  await call.core.applications.update(call.principal, childOf(call), {
    ...(rest.name !== undefined && { name: rest.name }),
    ...(allowDelete !== undefined && { isDeletable: allowDelete }),
  })
  return call.c.body(null, 204)
}

export async function deleteApplication(call: Call): Promise<Response> {
  try {
    await call.core.applications.remove(call.principal, childOf(call))
  } catch (error) {
    // Who asks is not the reason.
    const isKept = isDomainError(error) && error.detail.decidedBy === 'application'
    throw isKept ? new HttpError('invalid', 400, error.message) : error
  }
  return call.c.body(null, 204)
}

/** The application that the path names. */
export function childOf({ c }: Pick<Call, 'c'>): ApplicationId {
  return (c.req.param('childAppId') ?? '') as ApplicationId
}

function shortly({ id, name }: ApplicationRecord): Json {
  return { id, name }
}

function presentApplication(record: ApplicationRecord, include: readonly string[]): Json {
  return {
    ...{ id: record.id, name: record.name },
    ...{ createDate: writeTime(record.createdAt), updateDate: writeTime(record.updatedAt) },
    allowDelete: record.isDeletable,
    ...(include.includes('includeCourseCount') && { courseCount: 0 }),
    ...(include.includes('includeRegistrationCount') && { registrationCount: 0 }),
  }
}
