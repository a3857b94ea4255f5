import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ConnectionLog } from './connection-log.ts'

describe('ConnectionLog', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
  afterEach(() => void vi.useRealTimers())

  it('says once in ten seconds what was lost, without a stack, and once that it is back', () => {
    const lines: unknown[] = []
    const note = (level: string) => (fields: object, message: string) => void lines.push([level, fields, message])
    const log = new ConnectionLog({ info: note('info'), warn: note('warn'), error: note('error') })
    const lost = 'the connection that listens to the other nodes is lost; it is opened again'
    const back = ['info', {}, 'the connection that listens to the other nodes is back']
    for (let times = 0; times < 40; times++) {
      log.cutOff(new Error('terminating connection'))
      log.back()
      vi.advanceTimersByTime(200)
    }
    expect(lines).toEqual([['warn', { times: 1, reason: 'terminating connection' }, lost], back])
    vi.advanceTimersByTime(10_000)
    log.cutOff(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }))
    log.back()
    log.back()
    expect(lines.slice(2)).toEqual([['warn', { times: 40, reason: 'ECONNREFUSED' }, lost], back])
    log.lost(new Error('terminating connection'))
    log.lost(new Error('terminating connection'))
    const pooled = 'connections to the database were lost; others are opened as needed'
    expect(lines.slice(4)).toEqual([['warn', { times: 1, reason: 'terminating connection' }, pooled]])
    log.full()
    log.full()
    const full = 'calls waited in vain for a connection to the database: all are in use'
    expect(lines.slice(5)).toEqual([['warn', { times: 1 }, full]])
  })
})
