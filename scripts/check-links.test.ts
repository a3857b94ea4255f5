import { expect, it } from 'vitest'
import { brokenLinks } from './check-links.ts'

const exists = (path: string) => ['here.md', 'docs/with space.md'].includes(path)

it('finds links that lead nowhere', () => {
  expect(brokenLinks('[a](here.md) [b](gone.md) and ![c](img/x.png#part)', exists)).toEqual([
    'gone.md',
    'img/x.png#part',
  ])
})

it('leaves anchors, other hosts and code alone', () => {
  const text =
    '[a](#below) [b](https://example.org/x.md) [c](mailto:a@b.c) [d](here.md#part) `[e](x.md)`\n```\n[f](x.md)\n```\n'
  expect(brokenLinks(`${text}[g](<docs/with%20space.md>)`, exists)).toEqual([])
})
