// How far a long command is, on standard error: a bar where somebody looks at it, else a line every few seconds, so that what is
// done at once says nothing; nothing with --quiet or --json.

import { SingleBar } from 'cli-progress'
import type { CopyProgress } from '../copying.ts'
import type { CommandContext } from './context.ts'

/** How far it is. */
export type Stage = Omit<CopyProgress, 'phase'> & { readonly phase: keyof typeof words }

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

function titleOf({ phase, table }: Stage): string {
  return `${words[phase]} ${table ?? 'of attachments and long documents'}`
}

function bar(write: (text: string) => void): Progress {
  // Wherever the command runs, its words go where it was typed.
  const stream = { isTTY: true, columns: 100, write: (text: string) => (write(text), true) }
  let present: { readonly title: string; readonly bar: SingleBar } | undefined
  const end = (): void => {
    present?.bar.stop()
    present = undefined
  }
  return {
    show(progress) {
      const title = titleOf(progress)
      const total = progress.total ?? progress.done
      if (present?.title !== title) {
        end()
        const format = progress.total === undefined ? `${title}: {value}` : `${title} {bar} {percentage} % of {total}`
        const made = new SingleBar({
          ...{ format, fps: 5, hideCursor: null, clearOnComplete: false, linewrap: null },
          stream: stream as unknown as NodeJS.WritableStream,
        })
        made.start(total, progress.done)
        present = { title, bar: made }
      }
      if (progress.total === undefined) present.bar.setTotal(total)
      present.bar.update(progress.done)
    },
    end,
  }
}

function lines(write: (text: string) => void): Progress {
  let saidAt = performance.now()
  return {
    show(progress) {
      const now = performance.now()
      if (now - saidAt < lineEveryMs) return
      saidAt = now
      const { done, total } = progress
      write(`${titleOf(progress)}: ${total === undefined ? done : `${done} of ${total}`}\n`)
    },
    end() {},
  }
}
