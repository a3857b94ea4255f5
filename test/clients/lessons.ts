// Lessons in a real Chromium: content of another origin than the LRS, opened as a learner opens it, and driven from the test.

import type { Browser, BrowserContext, Page } from 'playwright-core'
import { startBrowser } from '../support/browser.ts'
import { Refused } from './client.ts'
import { type Lesson, type LessonLibrary, scripts } from './lesson.ts'
import type { CallLesson } from './lesson-page.ts'
import { type LibraryPages, serveLibraries } from './library-pages.ts'

export interface Lessons {
  start(): Promise<void>
  stop(): Promise<void>
  /** Where the content with this library is, as it is registered. Usable once started, like what follows. */
  address(library: LessonLibrary): string
  /** Another learner at another computer: no cookies yet. */
  learner(userAgent?: string): Promise<BrowserContext>
}

export function lessons(): Lessons {
  let browser: Browser | undefined
  let served: LibraryPages | undefined
  return {
    start: async () => {
      served = await serveLibraries(scripts, new URL('lesson-page.ts', import.meta.url))
      browser = await startBrowser()
    },
    stop: async () => {
      await browser?.close()
      served?.close()
    },
    address: (library) => `${served!.url}/${library}`,
    learner: (userAgent) =>
      browser!.newContext({ ignoreHTTPSErrors: true, ...(userAgent !== undefined && { userAgent }) }),
  }
}

/** The lesson in a page that shows it, whose every method is called there. */
export function lessonIn(page: Pick<Page, 'evaluate'>, library: LessonLibrary): Lesson {
  const call = async (method: keyof Lesson, parameters: readonly unknown[]): Promise<unknown> => {
    const answer = await page.evaluate(
      (call) => (globalThis as unknown as { adapters: { callLesson: CallLesson } }).adapters.callLesson(...call),
      [library, method, parameters] as Parameters<CallLesson>,
    )
    if ('refused' in answer) throw new Refused(answer.refused.status, answer.refused.text)
    return answer.value
  }
  return new Proxy({} as Lesson, {
    get: (_, method) =>
      method === 'then' ? undefined : (...parameters: unknown[]) => call(method as keyof Lesson, parameters),
  })
}
