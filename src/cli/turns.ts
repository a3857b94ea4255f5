// Commands in the server take turns, so that a rotation of the master key never meets the creation of an organisation. One that
// has only waiting left to do lets the others pass.

export type InTurn = <T>(work: (letOthersPass: () => void) => Promise<T>) => Promise<T>

export function takeTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    let letOthersPass = (): void => {}
    const passed = new Promise<void>((resolve) => (letOthersPass = resolve))
    const mine = last.then(() => work(letOthersPass))
    last = Promise.race([mine.catch(() => undefined), passed])
    return mine
  }
}
