// claviger doctor: looks at what usually goes wrong and says what to do about it. Changes nothing.

import { statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import type { Command } from 'commander'
import type { Integrity } from '../../app.ts'
import type { Config } from '../../config.ts'
import { isDomainError } from '../../core/errors.ts'
import type { Caller } from '../../core/principal.ts'
import type { CredentialRecord } from '../../core/storage.ts'
import { arrivalsIn } from '../arrivals.ts'
import type { Arrivals } from '../arrivals.ts'
import { callerIn, chooseOrganisation, everyOrganisation } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { stateOf } from '../key-state.ts'
import { keyFiles } from '../master-key.ts'
import { counted, exitCodes, PlainError, table } from '../outcome.ts'
import { newProgress } from '../progress.ts'
import type { Act } from '../run.ts'
import { checkLaunching, platformsOf } from './doctor-launch.ts'
import { checkOrganisation } from './doctor-organisation.ts'
import { listAll } from '../context.ts'

export interface Finding {
  readonly check: string
  /** `problem`: something does not work or is not safe; `warning`: worth a look. */
  readonly state: 'ok' | 'warning' | 'problem'
  readonly message: string
}

const dayMs = 86_400_000
const soonDays = 14
const unusedDays = 30

export function addDoctor(program: Command, context: CommandContext, act: Act): void {
  const command = program
    .command('doctor')
    .description('check data directory, master key, database, files, audit log, keys and platforms; changes nothing')
  act<GlobalOptions>(command, async (options) => {
    // What is typed wrong is no finding.
    const chosen =
      options.organisation === undefined ? undefined : await chooseOrganisation(await context.open(), options)
    const findings: Finding[] = [...checkBaseUrl(context.config), ...(await checkDirectory(context.config))]
    try {
      const opened = await context.open()
      findings.push(...checkMasterKey(context.config, opened))
      findings.push(...checkStored(await checkRows(opened, context, options)))
      for await (const organisation of chosen ? [chosen] : everyOrganisation(opened)) {
        const { id, name } = organisation
        const caller = callerIn(opened, id)
        findings.push(...(await checkOrganisation(opened, caller, organisation)))
        findings.push(await checkAudit(opened, caller, `audit log of organisation ${id} (${name})`))
        const arrivals = await arrivalsIn(opened, caller)
        const keys = await listAll(opened, id)
        const platforms = await platformsOf(opened, caller)
        findings.push(...(await checkLaunching(opened, caller, { config: context.config, keys, platforms })))
        const launchers = new Set(platforms.map(({ credentialId }) => credentialId))
        for (const credential of keys) {
          const isLauncher = launchers.has(credential.id)
          findings.push(...(await checkCredential(opened, caller, { credential, arrivals, isLauncher })))
        }
      }
    } catch (error) {
      if (!isDomainError(error) && !(error instanceof PlainError)) throw error
      findings.push({ check: 'opening', state: 'problem', message: error.message })
    }
    const problems = findings.filter(({ state }) => state === 'problem').length
    const warnings = findings.filter(({ state }) => state === 'warning').length
    const order = { problem: 0, warning: 1, ok: 2 }
    const sorted = findings.toSorted((a, b) => order[a.state] - order[b.state])
    const rows = sorted.map(({ state, check, message }) => [
      state === 'ok' ? 'ok' : state.toUpperCase(),
      check,
      message,
    ])
    return {
      json: { problems, warnings, findings: sorted },
      text: `${table([['', 'what', 'finding'], ...rows])}\n\n${counted(problems, 'problem')}, ${counted(warnings, 'warning')}`,
      exit: problems > 0 ? exitCodes.failed : exitCodes.ok,
    }
  })
}

function checkBaseUrl({ baseUrl, isBaseUrlSet, host, tls }: Config): Finding[] {
  const check = 'base URL'
  const isLocal = ['127.0.0.1', '::1', 'localhost'].includes(host)
  if (!isBaseUrlSet && !isLocal) {
    const message = `${baseUrl} is a guess: others reach this server, so set CLAVIGER_BASE_URL to what they use`
    return [{ check, state: 'warning', message }]
  }
  if (!isLocal && !tls && baseUrl.startsWith('http:')) {
    const message = 'keys and secrets travel unencrypted: put a TLS proxy in front, or set CLAVIGER_TLS_CERT and _KEY'
    return [{ check, state: 'warning', message }]
  }
  return [{ check, state: 'ok', message: baseUrl }]
}

async function checkDirectory({ dataDirectory }: Config): Promise<Finding[]> {
  const check = 'data directory'
  const stats = statSync(dataDirectory, { throwIfNoEntry: false })
  if (!stats?.isDirectory()) {
    return [{ check, state: 'problem', message: `${dataDirectory} is not a directory; CLAVIGER_DATA names it` }]
  }
  const found: Finding[] = []
  if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0) {
    const message = `others on this machine may open ${dataDirectory}: chmod 700 it`
    found.push({ check, state: 'warning', message })
  }
  const { bavail, bsize } = await statfs(dataDirectory)
  const freeGb = (bavail * bsize) / 1024 ** 3
  if (freeGb < 1) {
    found.push({ check, state: 'warning', message: `only ${(freeGb * 1024).toFixed(0)} MB are free on its disk` })
  }
  return found.length > 0 ? found : [{ check, state: 'ok', message: dataDirectory }]
}

function checkMasterKey({ dataDirectory }: Config, { masterKeySource }: Opened): Finding[] {
  const check = 'master key'
  const { present, next } = keyFiles(dataDirectory)
  const file = statSync(present, { throwIfNoEntry: false })
  if (masterKeySource === 'configuration') {
    if (!file) return [{ check, state: 'ok', message: 'given by a setting' }]
    const message = `a setting gives the key; remove ${present} if nothing needs it any more`
    return [{ check, state: 'warning', message }]
  }
  const found: Finding[] = []
  if (file && process.platform !== 'win32' && (file.mode & 0o077) !== 0) {
    found.push({ check, state: 'problem', message: `others on this machine may read ${present}: chmod 600 it` })
  }
  if (statSync(next, { throwIfNoEntry: false })) {
    found.push({ check, state: 'warning', message: 'a rotation was interrupted; the next start finishes it' })
  }
  const message = `${present}; a copy of the whole directory includes it`
  return found.length > 0 ? found : [{ check, state: 'ok', message }]
}

/** Long where there are many: how far it is goes to standard error. */
async function checkRows(opened: Opened, context: CommandContext, { json }: GlobalOptions): Promise<Integrity> {
  const progress = newProgress(context, { isQuiet: json === true })
  try {
    return await opened.checkIntegrity((done, total) =>
      progress.show({ phase: 'checking', table: 'rows', done, total }),
    )
  } finally {
    progress.end()
  }
}

function checkStored({ faults, risks = [], blobs }: Integrity): Finding[] {
  const database: Finding =
    faults.length === 0
      ? { check: 'database', state: 'ok', message: 'intact' }
      : { check: 'database', state: 'problem', message: `damaged, restore a backup: ${faults.slice(0, 3).join('; ')}` }
  const server = risks.map((message): Finding => ({ check: 'database server', state: 'warning', message }))
  return [database, ...server, ...(blobs === undefined ? [] : [checkBlobs(blobs)])]
}

function checkBlobs({ checked, damaged, examples }: NonNullable<Integrity['blobs']>): Finding {
  const check = 'files of attachments and long documents'
  if (damaged === 0) return { check, state: 'ok', message: `${checked}, all there` }
  const some = examples.map(({ lrsId, sha2, fault }) => `${sha2} of Lrs ${lrsId} (${fault})`)
  if (damaged > some.length) some.push(`and ${damaged - some.length} more`)
  const message = `${damaged} of ${checked} missing or damaged; copy them from a backup of blobs/: ${some.join(', ')}`
  return { check, state: 'problem', message }
}

async function checkAudit(opened: Opened, caller: Caller, check: string): Promise<Finding> {
  const { events, brokenAt } = await opened.core.audit.verify(caller, { isRecorded: false })
  if (brokenAt === undefined) return { check, state: 'ok', message: `${counted(events, 'event')}, unbroken` }
  return { check, state: 'problem', message: `broken at event ${brokenAt}: it or one before it was changed` }
}

interface Checked {
  readonly credential: CredentialRecord
  readonly arrivals: Arrivals
  /** Goes with its platform, and not because nobody was launched for a while. */
  readonly isLauncher: boolean
}

async function checkCredential(
  opened: Opened,
  caller: Caller,
  { credential, arrivals, isLauncher }: Checked,
): Promise<Finding[]> {
  const check = `credential ${credential.id} (${credential.name})`
  const now = opened.core.clock.now()
  const state = stateOf(credential, now)
  if (state !== 'active') return [{ check, state: 'ok', message: state }]
  const { warnings } = await opened.core.credentials.describe(caller, credential.id)
  const messages = [...warnings]
  if (credential.expiresAt !== null && credential.expiresAt - now < soonDays * dayMs) {
    messages.push(`expires ${new Date(credential.expiresAt).toISOString()}`)
  }
  const usage = await opened.core.usage.list(caller, credential.id)
  const usedAt = Math.max(0, ...usage.map(({ lastAt }) => lastAt))
  const days = (now - arrivals(credential)) / dayMs
  if (usedAt === 0 && days > unusedDays && !isLauncher) {
    messages.push(`never used here in ${Math.floor(days)} days: revoke it if nothing needs it`)
  }
  return messages.map((message) => ({ check, state: 'warning', message }))
}
