// How far a long command is, on standard error: a bar where somebody looks at it, else a line every few seconds, so that what is
// done at once says nothing; nothing with --quiet or --json.

import { SingleBar } from 'cli-progress'
import type { CopyProgress } from '../copying.ts'
import type { ImportStage } from '../importing/import.ts'
import type { CommandContext } from './context.ts'
import { newPace } from './pace-words.ts'

/** How far it is. */
export type Stage = (Omit<CopyProgress, 'phase'> & { readonly phase: keyof typeof words }) | ImportStage

export interface Progress {
  show(progress: Stage): void
  /** Before anything else is written. */
  end(): void
}

const words = { rows: 'copying', blobs: 'files', comparing: 'comparing', checking: 'checking' } as const
/** Between two lines, where nobody looks. */
const lineEveryMs = 5_000

export function newProgress(
  { streams, isTerminal }: Pick<CommandContext, 'streams' | 'isTerminal'>,
  { isQuiet }: { readonly isQuiet: boolean },
): Progress {
  if (isQuiet) return { show() {}, end() {} }
  return isTerminal ? bar(streams.err) : lines(streams.err)
}

function titleOf(stage: Stage): string {
  if ('title' in stage) return stage.title
  return `${words[stage.phase]} ${stage.table ?? 'of attachments and long documents'}`
}

/** An import knows which part of all it has read, not how many things there are: its bar counts thousandths. */
function extentOf(stage: Stage): { readonly value: number; readonly total: number | undefined } {
  if (!('title' in stage)) return { value: stage.done, total: stage.total }
  return stage.part === undefined
    ? { value: stage.done, total: undefined }
    : { value: Math.round(stage.part * 1000), total: 1000 }
}

function bar(write: (text: string) => void): Progress {
  // Wherever the command runs, its words go where it was typed.
  const stream = { isTTY: true, columns: 100, write: (text: string) => (write(text), true) }
  const paceOf = newPace()
  let present: { readonly title: string; readonly bar: SingleBar } | undefined
  const end = (): void => {
    present?.bar.stop()
    present = undefined
  }
  return {
    show(progress) {
      const title = titleOf(progress)
      const { value, total } = extentOf(progress)
      const pace = paceOf(progress)
      if (present?.title !== title) {
        end()
        const made = new SingleBar({
          ...{ format: formatOf(progress), fps: 5, hideCursor: null, clearOnComplete: false, linewrap: null },
          stream: stream as unknown as NodeJS.WritableStream,
        })
        made.start(total ?? value, value, { pace })
        present = { title, bar: made }
      }
      if (total === undefined) present.bar.setTotal(value)
      present.bar.update(value, { pace })
    },
    end,
  }
}

function formatOf(stage: Stage): string {
  const title = titleOf(stage)
  if ('title' in stage) return stage.part === undefined ? `${title}: {pace}` : `${title} {bar} {percentage} %: {pace}`
  return stage.total === undefined ? `${title}: {value}` : `${title} {bar} {percentage} % of {total}`
}

function lines(write: (text: string) => void): Progress {
  const paceOf = newPace()
  let saidAt = performance.now()
  return {
    show(progress) {
      const pace = paceOf(progress)
      const now = performance.now()
      if (now - saidAt < lineEveryMs) return
      saidAt = now
      write(`${titleOf(progress)}: ${pace}\n`)
    },
    end() {},
  }
}
