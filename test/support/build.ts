// Global setup of the program tests: brings dist/ up to date, once per run and only when a source changed since.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const stamp = join(root, 'dist/.built')

/** The vitest hook. */
export function setup(): void {
  const startedAt = new Date()
  if (modified(stamp) > Math.max(newest(join(root, 'src')), modified(join(root, 'tsconfig.build.json')))) return
  rmSync(stamp, { force: true })
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' })
  mkdirSync(join(root, 'dist'), { recursive: true })
  writeFileSync(stamp, `${startedAt.toISOString()}\n`)
}

/** The latest change below a folder; a folder's own time shows what was added or removed in it. */
function newest(folder: string): number {
  let latest = modified(folder)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    latest = Math.max(latest, entry.isDirectory() ? newest(path) : modified(path))
  }
  return latest
}

function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
