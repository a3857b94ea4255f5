// Launches without a platform, as any system makes them through the management API, and content that uses their keys.

import { randomUUID } from 'node:crypto'
import type { StartedProgram } from './started-program.ts'
import type { Target } from './statement-load.ts'

export interface Launched {
  readonly id: string
  /** Id of the content. */
  readonly content: string
  readonly actor: object
  readonly activityId: string
  readonly registration: string
  /** By the key, from an address of its own: hundreds of refusals to one would be answered 429. */
  readonly headers: Readonly<Record<string, string>>
  /** The longest it may last, Unix milliseconds. */
  readonly expiresAt: number
}

/** A key that may launch. */
export interface Client {
  readonly headers: Readonly<Record<string, string>>
  disable(): Promise<void>
  delete(): Promise<void>
}

export interface LaunchChoice {
  readonly registration?: string
  readonly actor?: object
  /** The program's first key unless given. */
  readonly by?: Client
}

export class Launcher {
  readonly #program: StartedProgram
  #content: Promise<string> | undefined
  #count = 0

  constructor(program: StartedProgram) {
    this.#program = program
  }

  /** The id of new content that gets its key in its address. */
  async createContent(settings: { readonly idleSeconds?: number; readonly absoluteSeconds?: number }): Promise<string> {
    const { idleSeconds = 7200, absoluteSeconds = 28_800 } = settings
    const where = ['--url', 'https://content.example.org/index.html', '--activity-id', `urn:uuid:${randomUUID()}`]
    const times = ['--idle', `${idleSeconds}s`, '--absolute', `${absoluteSeconds}s`]
    const argv = ['content', 'create', 'To be launched', '--style', 'tincan', ...where, ...times, '--json']
    const { code, stdout, stderr } = await this.#program.command(...argv)
    if (code !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`)
    return (JSON.parse(stdout) as { readonly id: string }).id
  }

  /** Of content for all unless given. */
  async launch(content?: string, { registration = randomUUID(), actor, by }: LaunchChoice = {}): Promise<Launched> {
    const contentId = content ?? (await (this.#content ??= this.createContent({})))
    const number = this.#count++
    const learner = actor ?? { account: { homePage: 'https://campus.example.org', name: `learner-${number}` } }
    const headers = { ...this.#program.headers, ...by?.headers }
    const made = await asked<{ id: string; url: string; activityId: string; expiresAt: string }>(
      `${this.#program.url}/management/v1/launches`,
      { method: 'POST', headers, body: { content: contentId, registration, actor: learner } },
    )
    const entrance = await fetch(`${this.#program.url}${new URL(made.url).pathname}`, { redirect: 'manual' })
    const address = entrance.headers.get('location')
    if (address === null) throw new Error(`${made.url}: ${entrance.status} ${await entrance.text()}`)
    const query = new URL(address).searchParams
    return {
      id: made.id,
      content: contentId,
      actor: learner,
      activityId: query.get('activity_id') ?? '',
      registration,
      headers: {
        ...this.#program.headers,
        authorization: query.get('auth') ?? '',
        'x-forwarded-for': `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`,
      },
      expiresAt: Date.parse(made.expiresAt),
    }
  }

  async revoke({ id }: Launched): Promise<void> {
    await asked(`${this.#program.url}/management/v1/launches/${id}`, {
      method: 'DELETE',
      headers: this.#program.headers,
    })
  }

  async createClient(): Promise<Client> {
    const api = `${this.#program.url}/api/organizations/1/activity-providers`
    const { headers } = this.#program
    const body = { name: 'Launches', lrsAccess: 'isolated' }
    const { id, key, secret } = await asked<{ id: number; key: string; secret: string }>(api, {
      method: 'POST',
      headers,
      body,
    })
    return {
      headers: { authorization: `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}` },
      disable: () => asked(`${api}/${id}`, { method: 'PUT', headers, body: { active: false } }),
      delete: () => asked(`${api}/${id}`, { method: 'DELETE', headers }),
    }
  }

  /** One statement by the launch's key. */
  async store(
    { url }: Target,
    { headers, actor, activityId, registration }: Launched,
    verb = 'http://adlnet.gov/expapi/verbs/experienced',
  ): Promise<{ readonly status: number; readonly id: string }> {
    const id = randomUUID()
    const statement = { id, actor, verb: { id: verb }, object: { id: activityId }, context: { registration } }
    const response = await fetch(`${url}/xapi/statements`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(statement),
    })
    await response.arrayBuffer()
    return { status: response.status, id }
  }

  /** Where the learner is: the launch's id, as text. */
  async saveBookmark({ url }: Target, launched: Launched): Promise<void> {
    const response = await fetch(`${url}/xapi/activities/state?${bookmarkOf(launched)}`, {
      method: 'PUT',
      headers: { ...launched.headers, 'content-type': 'text/plain' },
      body: launched.id,
    })
    if (!response.ok) throw new Error(`bookmark: ${response.status} ${await response.text()}`)
  }

  async findBookmark({ url }: Target, launched: Launched): Promise<string> {
    const { headers } = launched
    const response = await fetch(`${url}/xapi/activities/state?${bookmarkOf(launched)}`, { headers })
    return response.ok ? await response.text() : `answered ${response.status}`
  }
}

function bookmarkOf({ activityId, actor, registration }: Launched): string {
  const place = { stateId: 'bookmark', activityId, agent: JSON.stringify(actor), registration }
  return new URLSearchParams(place).toString()
}

async function asked<T>(
  url: string,
  { body, ...init }: { method: string; headers: Readonly<Record<string, string>>; body?: unknown },
): Promise<T> {
  const response = await fetch(url, {
    ...init,
    headers: { ...init.headers, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${init.method} ${url}: ${response.status} ${text}`)
  return (text === '' ? undefined : JSON.parse(text)) as T
}
