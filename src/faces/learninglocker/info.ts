// What a client may ask about itself, whatever its scopes: the usual test whether an integration is set up right.

import { isDomainError } from '../../core/errors.ts'
import { signIn } from './auth.ts'
import type { Asking } from './auth.ts'
import { VendorError } from './errors.ts'
import { scopesOf } from './words.ts'

export async function clientInfo(asking: Asking): Promise<Response> {
  const { c, core, principal } = await challenging(asking)
  const [client, organisation, lrs] = await Promise.all([
    core.credentials.get(principal, principal.credentialId),
    core.organisations.get(principal),
    // Clients outlive their stores.
    core.lrs.list(principal, { withDeleted: true }),
  ])
  return c.json({
    ...(client.name !== '' && { title: client.name }),
    organisation: organisation.oid,
    lrs_id: lrs.find(({ id }) => id === client.lrsIds[0])?.oid,
    scopes: scopesOf(client),
  })
}

/** Not of the REST library, which leaves the challenge out (facts 2.1). */
async function challenging({ c, core }: Asking) {
  try {
    return await signIn(c, core, 'none')
  } catch (error) {
    if (!isDomainError(error) || error.code !== 'unauthenticated') throw error
    throw new VendorError(401, 'Unauthorized', error.message, 'unauthenticated')
  }
}
