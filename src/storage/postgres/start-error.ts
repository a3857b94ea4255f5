// What keeps a database from being opened, in words for who set it up. Knows the server's codes; never repeats the password.

import { DomainError } from '../../core/errors.ts'

/** Whose URL it is, as far as it may be said. */
interface Target {
  readonly server: string
  readonly user: string
  readonly database: string
}

/** Names the database unless something else was said to. */
export const databaseSetting = 'CLAVIGER_DATABASE_URL'

/** The error to end a start with. What is already in words, and what nobody knows, stays as it is. */
export function startError(error: unknown, url: string, named: string = databaseSetting): unknown {
  const cause = rootOf(error)
  if (!(cause instanceof Error)) return error
  const words = wordsFor(cause, targetOf(url), named)
  return words === undefined ? error : new DomainError('unavailable', words, { cause })
}

function rootOf(error: unknown): unknown {
  if (error instanceof DomainError) return error.cause === undefined ? undefined : rootOf(error.cause)
  // Node's, when every address of a host failed.
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error
}

function targetOf(url: string): Target {
  const { host, username, pathname, searchParams } = new URL(url)
  return {
    server: host || (searchParams.get('host') ?? 'localhost'),
    user: decodeURIComponent(username) || (searchParams.get('user') ?? 'of this process'),
    database: decodeURIComponent(pathname.slice(1)),
  }
}

function wordsFor(error: Error, { server, user, database }: Target, setting: string): string | undefined {
  const code = 'code' in error ? String(error.code) : ''
  const { message } = error
  const schemaRight = `grant create on schema public to "${user}"`
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host of the database server ${server} is not known (${code}): is ${setting} right?`
    case '28P01':
      return `The database server ${server} does not accept the password of "${user}": is ${setting} right?`
    case '28000':
      return `The database server ${server} does not let "${user}" in: ${message}. Its pg_hba.conf and its roles decide.`
    case '3D000':
      return `There is no database "${database}" on ${server}: create it (createdb ${database}), or is ${setting} right?`
    case '42501':
      return `"${user}" has too few rights in the database "${database}" on ${server} (${message}): ${schemaRight}, or let it own the database.`
    case '3F000':
      return `"${user}" may use no schema of the database "${database}" on ${server}: ${schemaRight}.`
    case '53300':
      return `The database server ${server} has no connection left (${message}): raise its max_connections, or lower CLAVIGER_DATABASE_CONNECTIONS.`
    case '57P03':
      return `The database server ${server} is not ready (${message}): try again in a moment.`
    case '25006':
      return `The database "${database}" on ${server} is read-only: ${setting} must name the primary server.`
  }
  if (/^E[A-Z]+$/.test(code) || /timeout/i.test(message)) {
    return `The database server ${server} cannot be reached (${code || 'timeout'}): does it run, and is ${setting} right?`
  }
  if (/SSL|certificate/i.test(message) || /CERT|SSL|TLS|SIGNATURE/.test(code)) {
    return `No encrypted connection to the database server ${server}: ${message}. The sslmode in ${setting} decides what is asked for.`
  }
  if (/password must be a string/.test(message)) {
    return `The database server ${server} wants a password for "${user}", and ${setting} has none.`
  }
  // Anything else the server says is its own words about our statements: they hold no value of the URL.
  return code === '' ? undefined : `The database "${database}" on ${server} cannot be used: ${message} (${code}).`
}
