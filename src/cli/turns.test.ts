import { expect, it } from 'vitest'
import { takeTurns } from './turns.ts'

it('runs one after another, also behind one that failed', async () => {
  const inTurn = takeTurns()
  const seen: string[] = []
  const work = (name: string) => async () => {
    seen.push(`${name} begins`)
    await Promise.resolve()
    seen.push(`${name} ends`)
    if (name === 'one') throw new Error(name)
    return name
  }
  const [one, two] = await Promise.allSettled([inTurn(work('one')), inTurn(work('two'))])
  expect([one?.status, two]).toEqual(['rejected', { status: 'fulfilled', value: 'two' }])
  expect(seen).toEqual(['one begins', 'one ends', 'two begins', 'two ends'])
})

it('goes on beside one that lets the others pass', async () => {
  const inTurn = takeTurns()
  let end = (): void => {}
  const long = inTurn(async (letOthersPass) => {
    letOthersPass()
    await new Promise<void>((resolve) => (end = resolve))
    return 'long'
  })
  expect(await inTurn(async () => 'short')).toBe('short')
  end()
  expect(await long).toBe('long')
})
