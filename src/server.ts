// Listening and stopping: http or https, timeouts, graceful drain. Knows nothing of what is served.

import type { App } from './app.ts'
import type { Config } from './config.ts'

export interface Listening {
  /** The actual port, also when 0 was asked for. */
  readonly port: number
  /** `http://127.0.0.1:8080`, as bound. */
  readonly url: string
  /** Stops accepting, drains what is in flight (at most `graceSeconds`), closes the app. Idempotent. */
  stop(graceSeconds?: number): Promise<void>
}

export async function listen(config: Config, app: App): Promise<Listening> {
  void config
  void app
  throw new Error('not written yet')
}
