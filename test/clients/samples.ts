// What the clients send in these tests.

import { createHash, randomUUID } from 'node:crypto'
import type { Json, NewAttachment } from './client.ts'

export const completed = 'http://adlnet.gov/expapi/verbs/completed'
export const answered = 'http://adlnet.gov/expapi/verbs/answered'

export const learner = (name: string) => ({
  objectType: 'Agent',
  account: { homePage: 'https://campus.example.org', name },
})

export const activity = (name: string) => ({
  objectType: 'Activity',
  id: `https://content.example.org/${name}`,
  definition: { name: { 'en-US': name, 'de-DE': `${name} (de)` } },
})

export function statement(parts: Json = {}): Json {
  return {
    id: randomUUID(),
    actor: learner('anna'),
    verb: { id: completed, display: { 'en-US': 'completed' } },
    object: activity('lesson'),
    ...parts,
  }
}

export function attachment(content: Uint8Array, contentType: string): NewAttachment {
  return {
    usageType: 'http://id.tincanapi.com/attachment/supporting_media',
    display: { 'en-US': 'What the learner handed in' },
    contentType,
    sha2: createHash('sha256').update(content).digest('hex'),
    content,
  }
}
