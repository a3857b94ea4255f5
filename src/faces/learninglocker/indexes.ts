// GET /api/indexes/…: which indexes a model has, as the product's database lists its own. What is fast here, and meant for `hint`,
// which decides nothing.

import type { Call } from './auth.ts'
import type { Endpoint } from './endpoint.ts'

interface Index {
  readonly key: Readonly<Record<string, 1 | -1>>
  readonly name: string
}

const byId: Index = { key: { _id: 1 }, name: '_id_' }

const indexes: Readonly<Record<string, readonly Index[]>> = {
  client: [byId, { key: { 'api.basic_key': 1, 'api.basic_secret': 1 }, name: 'api.basic_key_1_api.basic_secret_1' }],
  lrs: [byId],
  organisation: [byId],
  statement: [
    byId,
    ...['stored', 'statement.id', 'statement.verb.id', 'statement.object.id', 'registrations'].map((path) => {
      return { key: { [path]: 1 as const }, name: `${path}_1` }
    }),
  ],
}

export const indexEndpoints: readonly Endpoint[] = Object.entries(indexes).map(([model, list]) => ({
  method: 'GET',
  path: `/api/indexes/${model}`,
  needs: model === 'statement' ? 'statements/read' : 'all',
  answer: async ({ c }: Call) => c.json(list),
}))
