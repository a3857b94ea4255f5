// What is served to browsers as it lies beside this file, in src as in dist.

import { readFileSync } from 'node:fs'

export const lessonScript = readFileSync(new URL('./lesson-script.js', import.meta.url), 'utf8')
