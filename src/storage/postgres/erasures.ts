// The erasure half of the port on PostgreSQL.

import { DomainError } from '../../core/errors.ts'
import type { Database } from './database.ts'
import type { ErasureStore } from '../../core/storage.ts'

type Jobs = Pick<ErasureStore, 'create' | 'finish' | 'find' | 'list'>

export class Erasures implements ErasureStore {
  readonly #database: Database
  readonly create: ErasureStore['create']
  readonly finish: ErasureStore['finish']
  readonly find: ErasureStore['find']
  readonly list: ErasureStore['list']

  constructor(database: Database, jobs: Jobs) {
    this.#database = database
    this.create = jobs.create
    this.finish = jobs.finish
    this.find = jobs.find
    this.list = jobs.list
  }

  count: ErasureStore['count'] = () => this.#missing()
  findAlike: ErasureStore['findAlike'] = () => this.#missing()
  isErased: ErasureStore['isErased'] = () => this.#missing()
  latest: ErasureStore['latest'] = () => this.#missing()
  step: ErasureStore['step'] = () => this.#missing()
  countBlobs: ErasureStore['countBlobs'] = () => this.#missing()
  scrub: ErasureStore['scrub'] = () => this.#missing()

  #missing(): Promise<never> {
    void this.#database
    return Promise.reject(new DomainError('unsupported', 'Not there yet.'))
  }
}
