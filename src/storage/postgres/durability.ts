// What in the server's settings makes an acknowledgement worth less than it says, in words for who runs it.

import type { Database } from './database.ts'

interface Settings {
  readonly fsync: string
  readonly commits: string
}

/** Empty where what is committed is on disk. Settings of the server, the database and the user count. */
export async function findRisks(database: Database): Promise<readonly string[]> {
  const [settings] = await database.query<Settings>(
    `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commits`,
  )
  const risks: string[] = []
  if (settings?.fsync === 'off') {
    risks.push(
      'fsync is off on the database server: when its machine stops, what was acknowledged may be lost and the database damaged',
    )
  }
  if (settings?.commits === 'off') {
    risks.push('synchronous_commit is off on the database server: when it stops, what it acknowledged last may be lost')
  }
  return risks
}
