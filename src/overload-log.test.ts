import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { OverloadLog } from './overload-log.ts'

describe('OverloadLog', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('says that it begins and that it has ended, however many are refused', () => {
    const warn = vi.fn<(fields: object, message: string) => void>()
    const log = new OverloadLog({ info() {}, warn, error() {} }, () => ({ requests: 7 }))
    for (let second = 0; second < 30; second++) {
      for (let index = 0; index < 100; index++) log.refused()
      vi.advanceTimersByTime(1000)
    }
    expect(warn.mock.calls).toEqual([[{ requests: 7 }, 'overload begins: requests are refused']])
    vi.advanceTimersByTime(30_000)
    expect(warn.mock.calls.slice(1)).toEqual([[{ refused: 3000 }, 'overload has ended']])
    log.refused()
    expect(warn).toHaveBeenCalledTimes(3)
  })
})
