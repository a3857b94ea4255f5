// The statement of the benchmark: about 1 KB of JSON, always the same shape. Knows nothing of the product.
// Numbered statements differ in learner, registration, verb and activity, so that dictionaries and indexes have real work.

export interface BenchStatement {
  readonly actor: {
    readonly objectType: 'Agent'
    readonly account: { readonly homePage: string; readonly name: string }
  }
  readonly verb: { readonly id: string; readonly display: Record<string, string> }
  readonly object: { readonly id: string } & Record<string, unknown>
  readonly result: Record<string, unknown>
  readonly context: Record<string, unknown>
  readonly timestamp: string
}

const homePage = 'https://campus.example.org/learners'
const parent = 'https://content.example.org/courses/fire-safety-at-work'

/** A prime, so that learners, verbs and activities occur in every combination but the one that is to be disjoint. */
export const learnerCount = 1_999
const activityPairs = 500

/** Spreads consecutive numbers, so that neighbours in time are not neighbours in any index. */
function scatter(number: number, range: number): number {
  return Number((BigInt(number) * 2_654_435_761n) % BigInt(range))
}

export function learner(number: number): BenchStatement['actor'] {
  return { objectType: 'Agent', account: { homePage, name: `learner-${String(number).padStart(6, '0')}` } }
}

/** Verbs follow the parity of the number: half of all statements each. */
export function verbId(parity: 0 | 1): string {
  return `http://adlnet.gov/expapi/verbs/${parity === 0 ? 'answered' : 'experienced'}`
}

/** Activities with an even index occur in even statements only, those with an odd index in odd ones. Index 0 and 1 are big. */
export function activityId(index: number): string {
  return `https://content.example.org/courses/fire-safety-at-work/items/${String(index).padStart(4, '0')}`
}

/** Every fourth statement is about the big activity of its parity; the rest spread over 500 activities per parity. */
function activityIndex(number: number): number {
  const parity = number & 1
  return (number >> 1) % 2 === 0 ? parity : 2 * (1 + scatter(number, activityPairs - 1)) + parity
}

function uuid(number: number): string {
  return `6f1b3c52-90aa-4d11-8f00-${number.toString(16).padStart(12, '0')}`
}

/** A fixed function of its number: no id (the store makes one), about 1 KB. */
export function benchStatement(number: number): BenchStatement {
  const index = activityIndex(number)
  const verb = verbId((number & 1) as 0 | 1)
  return {
    actor: learner(scatter(number, learnerCount)),
    verb: { id: verb, display: { 'en-US': verb.slice(verb.lastIndexOf('/') + 1) } },
    object: {
      objectType: 'Activity',
      id: activityId(index),
      definition: {
        type: 'http://adlnet.gov/expapi/activities/cmi.interaction',
        name: { 'en-US': `Extinguisher classes, question ${index}` },
        description: { 'en-US': 'Which class of extinguisher may be used on an electrical fire in a server room?' },
        interactionType: 'choice',
        correctResponsesPattern: ['carbon-dioxide'],
      },
    },
    result: {
      score: { scaled: 0.85, raw: 85, min: 0, max: 100 },
      success: true,
      completion: true,
      response: 'carbon-dioxide',
      duration: 'PT1M23S',
    },
    context: {
      registration: uuid(scatter(number, learnerCount * 4)),
      platform: 'Example Campus',
      language: 'en-US',
      contextActivities: {
        parent: [{ objectType: 'Activity', id: parent, definition: { name: { 'en-US': 'Fire safety at work' } } }],
      },
    },
    timestamp: '2026-11-02T09:15:27.512Z',
  }
}

export function singleBodies(count: number): string[] {
  return Array.from({ length: count }, (_, index) => JSON.stringify(benchStatement(index)))
}

export function batchBodies(count: number, size: number): string[] {
  return Array.from({ length: count }, (_, batch) =>
    JSON.stringify(Array.from({ length: size }, (_, index) => benchStatement(batch * size + index))),
  )
}
