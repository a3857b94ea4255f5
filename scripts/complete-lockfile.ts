// npm leaves builds for other platforms out of package-lock.json when it cannot look them up at the moment of an install,
// and then `npm ci` refuses the file. This names them from what their packages ask for; `--check` only reports.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

interface LockedPackage {
  version?: string
  optional?: boolean
  dev?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}

type Packages = Record<string, LockedPackage>

/** Entries for optional builds that some locked package asks for in an exact version and that no entry stands for. */
export function missingBuilds(packages: Packages): Packages {
  const missing: Packages = {}
  for (const asking of Object.values(packages)) {
    for (const [name, version] of Object.entries(asking.optionalDependencies ?? {})) {
      const path = `node_modules/${name}`
      const platform = platformOf(name)
      if (path in packages || !platform || !/^\d/.test(version)) continue
      missing[path] = { version, ...(asking.dev ? { dev: true } : {}), optional: true, ...platform }
    }
  }
  return missing
}

/** `@scope/binding-linux-arm64-musl` → linux, arm64, musl; undefined for a name that tells no platform. */
function platformOf(name: string): Pick<LockedPackage, 'os' | 'cpu' | 'libc'> | undefined {
  const match =
    /\b(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|ia32|ppc64|riscv64|s390x|x64)\b-?(\w*)/.exec(name)
  if (!match) return undefined
  const [, os = '', cpu = '', abi = ''] = match
  const libc = os === 'linux' && abi !== '' ? { libc: [abi.startsWith('musl') ? 'musl' : 'glibc'] } : {}
  return { cpu: [cpu], os: [os], ...libc }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = fileURLToPath(new URL('../package-lock.json', import.meta.url))
  const lock = JSON.parse(readFileSync(path, 'utf8')) as { packages: Packages }
  const missing = missingBuilds(lock.packages)
  const names = Object.keys(missing)
  if (process.argv.includes('--check')) {
    if (names.length > 0)
      console.error(`npm ci would refuse package-lock.json; run npx tsx scripts/complete-lockfile.ts`)
    process.exitCode = names.length > 0 ? 1 : 0
  } else if (names.length > 0) {
    const { '': root, ...rest } = { ...lock.packages, ...missing }
    const sorted = Object.entries(rest).toSorted(([a], [b]) => a.localeCompare(b, 'en'))
    writeFileSync(
      path,
      `${JSON.stringify({ ...lock, packages: { '': root, ...Object.fromEntries(sorted) } }, null, 2)}\n`,
    )
    console.log(`added ${names.length} builds for other platforms`)
  }
}
