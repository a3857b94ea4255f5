// Entry point of a storage thread: opens one half of the engine and answers the messages of its parent.

import { CallQueue } from './call-queue.ts'
import { Reader } from './reader.ts'
import { Tending } from './tending.ts'
import { Writer } from './writer.ts'
import { closeMethod } from './engine.ts'
import { openReader, openWriter } from './connection.ts'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { Call, SentCall, WorkerSetup } from './engine.ts'
import type { MessagePort } from 'node:worker_threads'

const port = parentPort as MessagePort
const { role, path } = workerData as WorkerSetup
const engine = role === 'writer' ? new Writer(openWriter(path), new Tending(path)) : new Reader(openReader(path))

let closing: Call | undefined
const take = (sent: readonly SentCall[]) => {
  const calls = sent.map(toCall)
  closing ??= calls.find(({ method }) => method === closeMethod)
  queue.add(calls.filter(({ method }) => method !== closeMethod))
}
const queue = new CallQueue(
  engine,
  (answers) => port.postMessage(answers),
  () => {
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      take(next.message as SentCall[])
    }
  },
)

port.on('message', (sent: SentCall[]) => {
  take(sent)
  void serve()
})

function toCall({ args, ...call }: SentCall): Call {
  return { ...call, args: typeof args === 'string' ? (JSON.parse(args) as Call['args']) : args }
}

async function serve(): Promise<void> {
  await queue.run()
  if (closing === undefined) return
  engine.close()
  port.postMessage([{ id: closing.id, value: undefined }])
  port.close()
}
