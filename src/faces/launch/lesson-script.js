// The sample lesson, as it runs in a browser: what content does in a launch, in either style, without a library. It reads who is
// learning from its address, takes up where the learner left off, stores a score and says that it is over.

const address = new URLSearchParams(location.search)
const isCmi5 = address.has('fetch')
const startedAt = performance.now()

const cmi5Category = { id: 'https://w3id.org/xapi/cmi5/context/categories/cmi5' }
const moveOnCategory = { id: 'https://w3id.org/xapi/cmi5/context/categories/moveon' }
const masteryScore = 'https://w3id.org/xapi/cmi5/context/extensions/masteryscore'

// ---------------------------------------------------------------------------------------------------------------------
// The launch

/** Resolves to what the address says; undefined where nobody launched this. */
async function readLaunch() {
  const [endpoint, actor, registration] = ['endpoint', 'actor', 'registration'].map((name) => address.get(name))
  const activityId = address.get(isCmi5 ? 'activityId' : 'activity_id')
  if (!endpoint || !actor || !activityId) return undefined
  const launch = { endpoint, actor: JSON.parse(actor), registration, activityId, records: true }
  if (!isCmi5) return { ...launch, authorization: address.get('auth'), mode: 'Normal', template: {} }
  const { token, isKept } = await fetchToken(address.get('fetch'))
  const authorization = `Basic ${token}`
  const data = await readDocument({ ...launch, authorization }, 'LMS.LaunchData')
  // cmi5 section 11: content reads the learner's preferences before anything else.
  await request({ ...launch, authorization }, 'GET', 'agents/profile', {
    ...{ agent: actor, profileId: 'cmi5LearnerPreferences' },
  })
  const { launchMode: mode, contextTemplate: template, ...rest } = data
  return { ...launch, ...rest, authorization, mode, template, hasBegun: isKept }
}

/** It is handed out once, so it is kept for a page that is loaded anew (cmi5 section 8.2). */
async function fetchToken(url) {
  const kept = fromTab(url)
  if (kept) return { token: kept, isKept: true }
  const answer = await (await fetch(url, { method: 'POST' })).json()
  if (!answer['auth-token']) throw new Error(answer['error-text'])
  keepInTab(url, answer['auth-token'])
  return { token: answer['auth-token'], isKept: false }
}

/** Some browsers keep nothing for a page inside another site's; then only loading anew does not work. */
function fromTab(name) {
  try {
    return sessionStorage.getItem(name)
  } catch {
    return null
  }
}

function keepInTab(name, value) {
  try {
    sessionStorage.setItem(name, value)
  } catch {
    // As above.
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// xAPI

async function request({ endpoint, authorization }, method, resource, parameters, body) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value))
  const headers = { Authorization: authorization, 'X-Experience-API-Version': '1.0.3' }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }
  const response = await fetch(`${endpoint}${resource}${query.size > 0 ? `?${query}` : ''}`, init)
  if (response.ok || response.status === 404) return response
  const { message } = await response.json().catch(() => ({}))
  throw Object.assign(new Error(message ?? `The server answered ${response.status}.`), { status: response.status })
}

function stateOf({ actor, activityId, registration }, stateId) {
  return { activityId, agent: JSON.stringify(actor), registration, stateId }
}

async function readDocument(launch, id) {
  const response = await request(launch, 'GET', 'activities/state', stateOf(launch, id))
  return response.status === 404 ? {} : response.json()
}

async function saveDocument(launch, id, content) {
  await request(launch, 'PUT', 'activities/state', stateOf(launch, id), content)
}

/** A statement of the verbs that cmi5 defines; a launch in the other style understands them, too. */
async function send(launch, verb, { result, isMoveOn = false } = {}) {
  if (!launch.records) return
  const statement = {
    id: newId(),
    actor: launch.actor,
    verb: { id: `http://adlnet.gov/expapi/verbs/${verb}`, display: { en: verb } },
    object: { id: launch.activityId, definition: { name: { en: 'A lesson on keys' } } },
    timestamp: new Date().toISOString(),
    context: contextOf(launch, isMoveOn, verb === 'passed' || verb === 'failed'),
    ...(result && { result }),
  }
  await request(launch, 'POST', 'statements', {}, statement)
}

/** A random UUID (RFC 9562 section 5.4); `crypto.randomUUID` is there on secure pages only. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** The launcher's own, and what cmi5 section 9.6 adds for its statements. */
function contextOf(launch, isMoveOn, isJudged) {
  const { template, registration } = launch
  if (!isCmi5) return { ...template, ...(registration && { registration }) }
  const { contextActivities = {}, extensions = {} } = template
  const category = [...(contextActivities.category ?? []), cmi5Category, ...(isMoveOn ? [moveOnCategory] : [])]
  const isMastery = isJudged && launch.masteryScore !== undefined
  return {
    ...template,
    registration,
    contextActivities: { ...contextActivities, category },
    extensions: { ...extensions, ...(isMastery && { [masteryScore]: launch.masteryScore }) },
  }
}

function duration() {
  return `PT${((performance.now() - startedAt) / 1000).toFixed(2)}S`
}

// ---------------------------------------------------------------------------------------------------------------------
// The page

const one = (selector) => document.querySelector(selector)
const steps = [...document.querySelectorAll('section')]
const [back, next, finish, close] = ['#back', '#next', '#finish', '#close'].map(one)

function show(step) {
  for (const [index, section] of steps.entries()) section.hidden = index !== step
  one('progress').value = step
  back.hidden = step === 0 || step === steps.length - 1
  next.hidden = step >= steps.length - 2
  finish.hidden = step !== steps.length - 2
  close.hidden = step !== steps.length - 1
  steps[step].querySelector('h2').focus()
}

function answersIn(form) {
  return Object.fromEntries(new FormData(form))
}

/** From 0 to 1: how many of the questions have the right answer. */
function scoreOf(form) {
  const questions = [...form.querySelectorAll('fieldset')]
  return questions.filter((question) => question.querySelector('[data-right]').checked).length / questions.length
}

function tell(words) {
  one('[role=status]').textContent = words
}

async function run(launch) {
  const form = one('form')
  const bookmark = { step: 0, answers: {}, told: [], ...(await readDocument(launch, 'bookmark')) }
  const save = () => saveDocument(launch, 'bookmark', { ...bookmark, answers: answersIn(form) })
  for (const [name, value] of Object.entries(bookmark.answers)) {
    const choice = [...form.elements].find((element) => element.name === name && element.value === value)
    if (choice) choice.checked = true
  }
  await begin(launch)
  const isLooking = !launch.records || launch.mode !== 'Normal'
  const isResumed = bookmark.step > 0
  bookmark.step = Math.min(bookmark.step, steps.length - 2)
  const go = async (step) => {
    bookmark.step = step
    show(step)
    await save()
  }
  back.onclick = () => guarded(() => go(bookmark.step - 1))
  next.onclick = () => guarded(() => go(bookmark.step + 1))
  finish.onclick = () =>
    guarded(() => finishWith(launch, scoreOf(form), bookmark.told).then(() => go(steps.length - 1)))
  close.onclick = () => guarded(() => leave(launch))
  form.onchange = () => guarded(save)
  one('#learner').textContent = launch.actor.name ?? launch.actor.account?.name ?? 'you'
  one('#lesson').hidden = false
  show(bookmark.step)
  const notices = [isResumed && 'You are where you left off.', isLooking && 'You only look: no result is written down.']
  tell(notices.filter(Boolean).join(' '))
}

/** Whoever is only to look has a key that stores no statements. */
async function begin(launch) {
  try {
    // Once in a session (cmi5 section 9.3.2): a page that is loaded anew goes on with the one it has.
    if (!launch.hasBegun) await send(launch, 'initialized')
  } catch (error) {
    if (error.status !== 403) throw error
    launch.records = false
  }
}

/** Only in Normal mode (cmi5 section 10.2.2), and each once in a registration (9.3.3, 9.3.4), however often it is taken. */
async function finishWith(launch, scaled, told) {
  const hasPassed = scaled >= (launch.masteryScore ?? 0.5)
  one('#score').textContent = `${Math.round(scaled * 100)} %`
  if (launch.mode !== 'Normal') return
  const score = { score: { scaled }, success: hasPassed, duration: duration() }
  const results = {
    completed: { completion: true, duration: duration() },
    [hasPassed ? 'passed' : 'failed']: score,
  }
  for (const [verb, result] of Object.entries(results)) {
    if (told.includes('passed') || told.includes(verb)) continue
    await send(launch, verb, { result, isMoveOn: true })
    told.push(verb)
  }
}

async function leave(launch) {
  await send(launch, 'terminated', { result: { duration: duration() } })
  close.disabled = true
  // Begun anew, it begins at the beginning.
  if (launch.returnURL) location.assign(launch.returnURL)
  else tell('The lesson is over; you can close this page.')
}

async function guarded(action) {
  try {
    tell('')
    await action()
  } catch (error) {
    tell(`This did not work: ${error.message}`)
  }
}

await guarded(async () => {
  const launch = await readLaunch()
  if (launch) await run(launch)
  else tell('This lesson is opened by a launch: claviger launch demo makes one.')
})
