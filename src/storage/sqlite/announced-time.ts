// The highest Consistent-Through the last process gave out, the floor of stored times. The next one stores later than that,
// even when the clock was set back in between. Kept on an orderly end; after a crash the clock is trusted.

import { open } from './handle.ts'
import type { Handle } from './handle.ts'

const name = 'announced'

export function readAnnounced(handle: Handle): number {
  const value = handle.prepare<[string], string>('select value from platform_value where name = ?').pluck().get(name)
  return Number(value ?? 0)
}

export function saveAnnounced(path: string, floor: number): void {
  const handle = open(path)
  try {
    const save = handle.prepare(
      'insert into platform_value (name, value) values (?, ?) on conflict (name) do update set value = excluded.value',
    )
    save.run(name, String(floor))
  } finally {
    handle.close()
  }
}
