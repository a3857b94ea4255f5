// Every relative link of a document leads to a file of the repository. Run by `npm run check`; links to other hosts are not tried.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The links of one document that lead nowhere. */
export function brokenLinks(markdown: string, exists: (path: string) => boolean): string[] {
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(<?([^)\s>]+)>?\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^([a-z]+:|#)/.test(target))
    .filter((target) => !exists(decodeURI(target.replace(/#.*$/, ''))))
}

/** Paths of the documents below a folder. */
function documents(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (/^(\.|node_modules$|dist$|data$)/.test(entry.name)) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return documents(path)
    return entry.name.endsWith('.md') ? [path] : []
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('../', import.meta.url))
  for (const path of documents(root)) {
    const broken = brokenLinks(readFileSync(path, 'utf8'), (target) => existsSync(join(dirname(path), target)))
    for (const target of broken) console.error(`${relative(root, path)}: ${target} does not exist`)
    if (broken.length > 0) process.exitCode = 1
  }
}
