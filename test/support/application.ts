// An application of an open core with a secret, signed in as its own key.

import type { Core } from '../../src/core/core.ts'
import type { ApplicationId, SecretId } from '../../src/core/ids.ts'
import type { Caller, Principal } from '../../src/core/principal.ts'
import type { ApplicationRecord } from '../../src/core/storage.ts'

export interface MadeApplication {
  readonly application: ApplicationRecord
  readonly id: ApplicationId
  readonly secret: string
  readonly secretId: SecretId
  /** Its own key, signed in. */
  readonly principal: Principal
}

export async function makeApplication(core: Core, operator: Caller, name = 'Courses'): Promise<MadeApplication> {
  const application = await core.applications.create(operator, { name })
  const { id } = application
  const { secret, secretId } = await core.applications.addSecret(operator, id, {})
  const principal = await core.signIn.basic({ key: id, secret })
  return { application, id, secret, secretId, principal }
}
