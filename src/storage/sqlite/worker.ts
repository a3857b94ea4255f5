// Entry point of a storage thread: opens one half of the engine and answers the messages of its parent.

import { CallQueue } from './call-queue.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'
import { closeMethod } from './engine.ts'
import { openReader, openWriter } from './connection.ts'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { Call, WorkerSetup } from './engine.ts'
import type { MessagePort } from 'node:worker_threads'

const port = parentPort as MessagePort
const { role, path } = workerData as WorkerSetup
const engine = role === 'writer' ? new Writer(openWriter(path)) : new Reader(openReader(path))

let closing: Call | undefined
const take = (calls: readonly Call[]) => {
  closing ??= calls.find(({ method }) => method === closeMethod)
  queue.add(calls.filter(({ method }) => method !== closeMethod))
}
const queue = new CallQueue(
  engine,
  (answers) => port.postMessage(answers),
  () => {
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      take(next.message as Call[])
    }
  },
)

port.on('message', (calls: Call[]) => {
  take(calls)
  void serve()
})

async function serve(): Promise<void> {
  await queue.run()
  if (closing === undefined) return
  engine.close()
  port.postMessage([{ id: closing.id, value: undefined }])
  port.close()
}
