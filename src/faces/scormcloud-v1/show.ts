// A credential as this API would show it, for the command line.

import { DomainError } from '../../core/errors.ts'
import { currentSecret } from '../../core/secret.ts'
import type { ApplicationRecord, Json } from '../../core/storage.ts'
import type { ShownCredential } from '../face.ts'
import { Endpoints } from './endpoints.ts'
import type { Covered } from './endpoints.ts'
import { describeProvider } from './provider.ts'
import { isRealmWide } from './switches.ts'

/** The elements of `<activityProvider>`, in their order. */
export function showCredential(shown: ShownCredential): Json {
  const { credential, secrets } = shown
  const now = Date.now()
  const current = currentSecret(
    secrets.map(({ record }) => record),
    now,
  )
  const secret = secrets.find(({ record }) => record.id === current?.id)?.clear
  const provider = describeProvider({ credential, secret, endpoints: new Endpoints(coveredBy(shown)), now })
  return {
    id: provider.key,
    accountLabel: provider.label,
    accountKey: provider.key,
    accountSecret: provider.secret,
    accountAuthType: provider.authType,
    accountEnabled: provider.isEnabled,
    allowedEndpoints: provider.endpoints,
    permissionsLevel: provider.level,
  }
}

/** To whom it is shown: the application it is of, or, realm-wide, all, that of its home first. */
function coveredBy({ organisation, applications, credential: { lrsIds, kind } }: ShownCredential): Covered {
  const home = applications.find((application) => lrsIds.some((id) => isOf(application, id)))
  const covered = isRealmWide(organisation) ? applications : home ? [home] : []
  const isShown = kind === 'client' && lrsIds.every((id) => covered.some((application) => isOf(application, id)))
  if (home === undefined || !isShown) {
    throw new DomainError('conflict', 'This API shows keys that reach xAPI data of one application and nothing else.')
  }
  return [home, ...covered.filter((application) => application !== home)]
}

function isOf({ liveLrsId, sandboxLrsId }: ApplicationRecord, lrsId: number): boolean {
  return lrsId === liveLrsId || lrsId === sandboxLrsId
}
