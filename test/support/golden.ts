// Golden files of a face: an exchange as text, compared with the file that has its name, which UPDATE_GOLDEN=1 writes anew.

import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { Answer } from './ask.ts'

export interface GoldenFolder {
  compare(file: string, text: string): void
  /** Each exchange has its file, and each file its exchange. */
  compareNames(exchanges: readonly { readonly file: string }[]): void
}

export function goldenFolder(folder: URL): GoldenFolder {
  return {
    compare(name, text) {
      const file = new URL(`${name}.http`, folder)
      if (process.env['UPDATE_GOLDEN']) {
        mkdirSync(folder, { recursive: true })
        writeFileSync(file, text)
      }
      expect(existsSync(file)).toBe(true)
      expect(text).toBe(readFileSync(file, 'utf8'))
    },
    compareNames(exchanges) {
      expect(readdirSync(folder).toSorted()).toEqual(exchanges.map(({ file }) => `${file}.http`).toSorted())
    },
  }
}

/** `request`: its lines. `common`: headers that every answer of the face has. */
export function exchangeText(
  request: readonly string[],
  { status, headers, text }: Pick<Answer, 'status' | 'headers' | 'text'>,
  common: ReadonlySet<string>,
): string {
  const got = [...headers].filter(([name]) => !common.has(name)).map(([name, value]) => `${name}: ${value}`)
  return [...request, '', `HTTP ${status}`, ...got, '', text, ''].join('\n')
}

interface Route {
  readonly method: string
  /** Segments may be `:name`. */
  readonly path: string
}

/** The routes that none of the exchanges asks. */
export function unshown(routes: readonly Route[], exchanges: readonly Route[]): string[] {
  const pattern = (path: string): RegExp => new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`)
  const isShown = ({ method, path }: Route): boolean =>
    exchanges.some((one) => one.method === method && pattern(path).test(one.path.replace(/\?.*/, '')))
  return routes.filter((route) => !isShown(route)).map(({ method, path }) => `${method} ${path}`)
}
