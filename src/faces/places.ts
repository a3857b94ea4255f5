// Which Lrs the xAPI paths of faces lead to, for whoever asks instead of requests. Only paths that say it whichever key comes.

import type { Core } from '../core/core.ts'
import type { ApplicationId, LrsId } from '../core/ids.ts'
import type { Face } from './face.ts'
import { paramsIn } from './http.ts'

/** The Lrs of an address of ours; undefined: it is elsewhere, or the key decides. */
export async function lrsAt(faces: readonly Face[], core: Core, url: string): Promise<LrsId | undefined> {
  if (!URL.canParse(url)) return undefined
  const [own, { origin, pathname }] = [new URL(core.baseUrl), new URL(url)]
  const base = own.pathname.replace(/\/+$/, '')
  if (origin !== own.origin || !pathname.startsWith(base)) return undefined
  const path = pathname.slice(base.length).replaceAll(/\/+/g, '/').replace(/\/$/, '')
  for (const { prefix, place } of mountsOf(faces)) {
    const params = paramsIn(prefix, path)
    const lrsId = params && (await place(core, params)).lrsId
    if (lrsId !== undefined) return lrsId
  }
  return undefined
}

/** The first path, without a slash at its end, that leads to this Lrs of an application. */
export async function pathOfLrs(
  faces: readonly Face[],
  core: Core,
  { id, lrsId }: { readonly id: ApplicationId; readonly lrsId: LrsId },
): Promise<string | undefined> {
  for (const { prefix, place } of mountsOf(faces)) {
    if (!prefix.includes(`/${named}`)) continue
    if ((await place(core, { [named.slice(1)]: id })).lrsId === lrsId) return prefix.replace(named, id)
  }
  return undefined
}

/** As every face calls an application's id. */
const named = ':appId'

function mountsOf(faces: readonly Face[]) {
  return faces.flatMap(({ xapiMounts = [] }) => xapiMounts)
}
