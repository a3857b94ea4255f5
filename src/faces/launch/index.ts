// Launches, whoever made them: a browser comes with a ticket and leaves for the content, which fetches its token, and what it may know
// of its launch. The sample lesson is content like any other; it is only served here. Knows no platform.

import type { Context, Hono } from 'hono'
import type { Core } from '../../core/core.ts'
import { DomainError, isDomainError } from '../../core/errors.ts'
import type { Entered } from '../../core/launch-entering.ts'
import { browserCookie, findBrowser, newBrowser } from '../browser-cookie.ts'
import type { Access, Face, FaceEnv } from '../face.ts'
import { addressOf, authenticate, faceApp, logOf, refuseLookAhead, requestIdOf, respond } from '../http.ts'
import type { PageAnswer } from '../page.ts'
import { accessIn, byAnybody, byOwnKey, byTicket } from './access.ts'
import { cmi5Address, tincanAddress } from './address.ts'
import { fetchError, presentError } from './errors.ts'
import { lessonPage } from './lesson.ts'
import { closedPage } from './pages.ts'
import { lessonScript } from './served-files.ts'

const root = '/launch'

interface Endpoint {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly answer: (c: Context<FaceEnv>, core: Core) => Response | Promise<Response>
  /** What it would meet. */
  readonly access: Access
}

export const endpoints: readonly Endpoint[] = [
  { method: 'GET', path: `${root}/s/:ticket`, answer: enter, access: byTicket('a browser that was sent here') },
  { method: 'POST', path: `${root}/fetch/:ticket`, answer: fetchToken, access: byTicket('content that was launched') },
  { method: 'GET', path: `${root}/:id/data`, answer: tellData, access: byOwnKey },
  { method: 'GET', path: `${root}/closed`, answer: () => answerPage(closedPage), access: byAnybody },
  {
    ...{ method: 'GET', path: `${root}/lesson/index.html`, access: byAnybody },
    answer: (_, { baseUrl }) => answerPage(lessonPage(baseUrl)),
  },
  {
    ...{ method: 'GET', path: `${root}/lesson/lesson-script.js`, access: byAnybody },
    answer: () => answerScript(lessonScript),
  },
]

function routes(core: Core): Hono<FaceEnv> {
  const app = faceApp(core, { name: 'launch', presentError, headers: { 'Referrer-Policy': 'no-referrer' } })
  for (const { method, path, answer } of endpoints) app.on(method, path, (c) => answer(c, core))
  return app
}

/** Leads into the content. The address it came by is of no more use to anybody without the cookie. */
async function enter(c: Context<FaceEnv>, core: Core): Promise<Response> {
  refuseLookAhead(c)
  const browser = findBrowser(c, core.baseUrl) ?? newBrowser()
  const entered = await core.launches
    .enter(c.req.param('ticket') ?? '', { cookie: browser })
    .catch((error: unknown) => {
      throw logged(c, error)
    })
  // A header holds no other letters than these; a browser would write it like this itself.
  const address = new URL(contentAddress(core, entered)).href
  return respond(null, {
    status: 303,
    headers: { Location: address, 'Set-Cookie': browserCookie(browser, core.baseUrl) },
  })
}

/** People see one page, whatever the reason is. */
function logged(c: Context<FaceEnv>, error: unknown): unknown {
  if (isDomainError(error) && error.code !== 'internal') {
    const fields = { requestId: requestIdOf(c), rule: error.detail.decidedBy ?? error.code, reason: error.message }
    logOf(c)?.info(fields, 'launch refused')
  }
  return error
}

function contentAddress({ baseUrl }: Core, { launch, data, opening }: Entered): string {
  const { actor, registration, activityId } = launch
  const common = { url: data.settings.url, endpoint: `${baseUrl}/xapi/`, actor, registration, activityId }
  if (opening.style === 'tincan') return tincanAddress({ ...common, key: opening.key, secret: opening.secret })
  return cmi5Address({ ...common, fetchUrl: `${baseUrl}${root}/fetch/${opening.fetchTicket}` })
}

/** cmi5 section 8.2. */
async function fetchToken(c: Context<FaceEnv>, core: Core): Promise<Response> {
  const fetched = await core.launches.fetchToken(c.req.param('ticket') ?? '')
  if ('authToken' in fetched) return answerJson({ 'auth-token': fetched.authToken })
  return answerJson(fetchError(fetched.code, fetched.text))
}

/**
 * What the platform says of the learner and the place, for content to use (ledger S3.5). cmi5 content knows the id of its launch, its
 * session id; Tin Can content says `own`.
 */
async function tellData(c: Context<FaceEnv>, core: Core): Promise<Response> {
  const principal = await authenticate(c, core)
  await core.limits.admit(principal, { ...addressOf(c), origin: c.req.header('Origin') })
  const { launch, data } = await core.launches.ofPrincipal(principal)
  const { id, style, mode, actor, registration, activityId, createdAt, expiresAt } = launch
  const asked = c.req.param('id')
  if (asked !== 'own' && asked !== id) throw new DomainError('not_found', 'This key is of another launch.')
  return answerJson({
    ...{ id, style, mode, actor, registration, activityId },
    ...{ startedAt: new Date(createdAt).toISOString(), endsAt: new Date(expiresAt).toISOString() },
    ...{ language: data.language, returnUrl: data.settings.returnUrl ?? `${core.baseUrl}${root}/closed` },
    data: data.given,
  })
}

function answerJson(body: object): Response {
  return respond(JSON.stringify(body), { headers: { 'Content-Type': 'application/json' } })
}

function answerScript(text: string): Response {
  return respond(text, { headers: { 'Content-Type': 'text/javascript; charset=utf-8' } })
}

function answerPage({ body, headers }: PageAnswer): Response {
  return respond(body, { headers })
}

export const launch: Face = {
  name: 'launch',
  // Last, for the protocols of platforms have paths of their own below it.
  mounts: [{ path: root, isFallback: true }],
  routes,
  accessFor: (asked) => accessIn(endpoints, asked),
}
