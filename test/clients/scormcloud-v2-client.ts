// SCORM Cloud's own JavaScript client for API v2 (npm, version 3), unmodified, as its user calls it: callbacks turned into promises
// and nothing else.

import SCORM from '@rusticisoftware/scormcloud-api-v2-client-javascript'
import type { Done } from '@rusticisoftware/scormcloud-api-v2-client-javascript'
import type { Answer } from '../support/ask.ts'

export interface Login {
  readonly key: string
  readonly secret: string
}

export interface Reply {
  /** What the library makes of the answer. */
  readonly data: Answer['json']
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

export type Api = 'AboutApi' | 'ApplicationManagementApi' | 'AuthenticationApi' | 'CourseApi' | 'PingApi' | 'XapiApi'

/** Calls an operation of one of the library's APIs. Rejects with the status and the text of the answer. */
export type Caller = (api: Api, operation: string, ...args: readonly unknown[]) => Promise<Reply>

/** With the two pairs of the library's Basic schemes, or with a token, which wins over both. */
export function connect(url: string, as: { application?: Login; management?: Login; token?: string }): Caller {
  const client = new SCORM.ApiClient()
  client.basePath = `${url}/api/v2`
  const { APP_NORMAL, APP_MANAGEMENT, OAUTH } = client.authentications
  Object.assign(APP_NORMAL, { username: as.application?.key, password: as.application?.secret })
  Object.assign(APP_MANAGEMENT, { username: as.management?.key, password: as.management?.secret })
  if (as.token !== undefined) OAUTH.accessToken = as.token
  return (api, operation, ...args) =>
    new Promise((resolve, reject) => {
      const target = new SCORM[api]!(client)
      const done: Done = (error, data, response) => {
        if (error) reject(new Refused(error.status, error.response?.text ?? String(error)))
        else resolve({ data, status: response.status, headers: response.headers })
      }
      target[operation]?.(...args, done)
    })
}

/** A model of the library, filled. */
export function model(name: `${string}Schema`, members: object): unknown {
  return SCORM[name]!.constructFromObject(members)
}

export class Refused extends Error {
  readonly status: number
  readonly text: string

  constructor(status: number, text: string) {
    super(`${status} ${text}`)
    this.name = 'Refused'
    this.status = status
    this.text = text
  }
}
