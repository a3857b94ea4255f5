// One after the other of those that name the same thing; the others are not held up. Who would wait too long is turned away, so
// that what hangs does not hang for each of them in turn. Knows nothing of what is done.

import { Gate } from '../../core/gate.ts'

const bounds = { atOnce: 1, waiting: 1_000, waitMs: 10_000 }

interface Door {
  readonly gate: Gate
  users: number
}

export class Turns<Key> {
  readonly #doors = new Map<Key, Door>()
  readonly #message: string

  /** `message`: what who is turned away is told. */
  constructor(message = 'Too many change the same document.') {
    this.#message = message
  }

  /** Does `work` after all that was asked for before it, whether that worked or not. `unavailable`, and not done, after ten seconds. */
  async take<T>(key: Key, work: () => Promise<T>): Promise<T> {
    const door = this.#doors.get(key) ?? { gate: new Gate(bounds, this.#message), users: 0 }
    this.#doors.set(key, door)
    door.users += 1
    try {
      return await door.gate.pass(work)
    } finally {
      door.users -= 1
      if (door.users === 0) this.#doors.delete(key)
    }
  }
}
