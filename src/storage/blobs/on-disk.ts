// Small things done with files, whose errors become the domain's.

import { open } from 'node:fs/promises'
import { toDomainError } from '../sqlite/driver-error.ts'

export async function onDisk<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw toDomainError(error)
  }
}

/** Undefined where there is no such file. */
export async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw toDomainError(error)
  }
}

/** Its entries are on disk when it resolves. */
export async function syncDirectory(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
