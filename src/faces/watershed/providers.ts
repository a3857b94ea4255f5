// The operations on activity providers, which is what Watershed calls credentials.

import { DomainError } from '../../core/errors.ts'
import type { CredentialId } from '../../core/ids.ts'
import type { CredentialChange, NewCredentialInput } from '../../core/credential.ts'
import { hasExpired } from '../../core/secret.ts'
import type { CredentialRecord, OrganisationRecord } from '../../core/storage.ts'
import { parseAuthorization } from '../http.ts'
import { bodyOf, isOwnCredential, noSuchCredential, queryOf, requireApiAccess, targetOf } from './auth.ts'
import type { Call } from './auth.ts'
import { createStatus } from './switches.ts'
import { defaultName, presentProvider, readPage, readProvider } from './wire.ts'
import type { Provider, ProviderInput } from './wire.ts'
import { changeWords, defaultWords, reachesDefaultLrs, rememberWords, rightsOf } from './words.ts'
import type { Words } from './words.ts'

type Asking = Pick<Call, 'core' | 'principal'>

interface Revealed {
  readonly credential: CredentialRecord
  readonly secret: string | undefined
}

export async function listProviders(call: Call): Promise<Response> {
  requireApiAccess(call)
  const { key, ...slice } = readPage(queryOf(call))
  const organisation = await call.core.organisations.get(call.principal)
  const filter = { kind: 'client' as const, ...(key !== undefined && { key }) }
  const listed = await call.core.credentials.listRevealed(call.principal, filter, slice)
  return call.c.json({ count: listed.total, results: listed.items.map((item) => show(call, organisation, item)) })
}

export async function createProvider(call: Call): Promise<Response> {
  requireApiAccess(call)
  const input = readProvider(await bodyOf(call))
  const organisation = await call.core.organisations.get(call.principal)
  const issued = await call.core.credentials.create(call.principal, newCredential(input))
  const location = `/api/organizations/${organisation.id}/activity-providers/${issued.credential.id}`
  return call.c.json(show(call, organisation, issued), createStatus(organisation), { Location: location })
}

export async function readOneProvider(call: Call): Promise<Response> {
  const id = targetOf(call, 'own')
  const organisation = await call.core.organisations.get(call.principal)
  const isOwn = isOwnCredential(call.principal, id)
  return call.c.json(show(call, organisation, isOwn ? await revealOwn(call, id) : await revealClient(call, id)))
}

export async function editProvider(call: Call): Promise<Response> {
  const id = targetOf(call)
  const input = readProvider(await bodyOf(call))
  const organisation = await call.core.organisations.get(call.principal)
  await call.core.credentials.update(call.principal, id, (credential) => {
    if (credential.kind !== 'client') throw noSuchCredential()
    // Shown without its secret: core itself finds out whether the one sent is another.
    const change = changeOf(show(call, organisation, { credential, secret: undefined }), input, credential)
    refuseWithoutEffect(call, organisation, credential, change)
    return change
  })
  return call.c.body(null, 204)
}

export async function deleteProvider(call: Call): Promise<Response> {
  const id = targetOf(call)
  const organisation = await call.core.organisations.get(call.principal)
  await findClient(call, id)
  const removed = await call.core.credentials.remove(call.principal, id)
  return call.c.json(show(call, organisation, removed))
}

/** The record behind `{id}`; keys of applications and of their management are not Watershed's to show. */
export async function findClient({ core, principal }: Asking, id: CredentialId): Promise<CredentialRecord> {
  const credential = await core.credentials.get(principal, id)
  if (credential.kind !== 'client') throw noSuchCredential()
  return credential
}

export async function revealClient({ core, principal }: Asking, id: CredentialId): Promise<Revealed> {
  const revealed = await core.credentials.reveal(principal, id)
  if (revealed.credential.kind !== 'client') throw noSuchCredential()
  return revealed
}

/** Without API access nobody reveals a secret; but this one was presented just now. */
async function revealOwn(call: Call, id: CredentialId): Promise<Revealed> {
  const credential = await findClient(call, id)
  const presented = parseAuthorization(call.c.req.header('Authorization'))
  return { credential, secret: presented?.kind === 'basic' ? presented.secret : undefined }
}

function show(call: Call, organisation: OrganisationRecord, { credential, secret }: Revealed): Provider {
  return presentProvider({ organisation, credential, secret, now: call.core.clock.now() })
}

function newCredential(input: ProviderInput): NewCredentialInput {
  const words: Words = {
    lrsAccess: input.lrsAccess ?? defaultWords.lrsAccess,
    watershedApiAccess: input.watershedApiAccess ?? defaultWords.watershedApiAccess,
  }
  return {
    name: input.name ?? defaultName,
    rights: rightsOf(words),
    words: { watershed: rememberWords(words) },
    isEnabled: input.active ?? true,
    ...(input.key !== undefined && { key: input.key }),
    ...(input.secret !== undefined && { secret: input.secret }),
  }
}

/** What of a PUT differs from what a GET would have shown. Clients echo whole entities, so equal members ask for nothing. */
function changeOf(shown: Provider, input: ProviderInput, credential: CredentialRecord): CredentialChange {
  const { name, key, secret, active, lrsAccess, watershedApiAccess } = differing(shown, input)
  const words = {
    ...(lrsAccess !== undefined && { lrsAccess }),
    ...(watershedApiAccess !== undefined && { watershedApiAccess }),
  }
  return {
    ...(name !== undefined && { name }),
    ...(key !== undefined && { key }),
    ...(secret !== undefined && { secret }),
    ...(active !== undefined && { isEnabled: active }),
    ...(Object.keys(words).length > 0 && changeWords(credential, words)),
  }
}

function differing(shown: Provider, input: ProviderInput): ProviderInput {
  const members = Object.entries(input) as [keyof ProviderInput, unknown][]
  return Object.fromEntries(members.filter(([name, value]) => value !== undefined && shown[name] !== value))
}

/** A change that would be stored but not do what it says. */
function refuseWithoutEffect(
  { core }: Call,
  organisation: OrganisationRecord,
  credential: CredentialRecord,
  change: CredentialChange,
): void {
  if (change.isEnabled === true && hasExpired(credential, core.clock.now())) {
    throw new DomainError('conflict', 'active: the key has expired; give it a later end first')
  }
  const changesLrsAccess = change.rights !== undefined && change.rights.xapi !== credential.rights.xapi
  if (changesLrsAccess && !reachesDefaultLrs(credential, organisation)) {
    throw new DomainError('conflict', 'lrsAccess: the key belongs to another Lrs than the one of this API')
  }
}
