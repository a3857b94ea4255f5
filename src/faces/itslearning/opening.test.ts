import { describe, expect, it } from 'vitest'
import { contentSettingsSchema } from '../../core/content-settings.ts'
import { isAuthor, openingOf } from './opening.ts'
import type { Permission, SignedLaunch } from './parameters.ts'

const gives = contentSettingsSchema.shape.gives.parse(undefined)
const normal = { mode: 'normal', readsOthers: false }
const browse = { mode: 'browse', readsOthers: false }

function launch(permissions: readonly Permission[], more: Partial<SignedLaunch> = {}): SignedLaunch {
  return {
    ...{ customerId: '14', learningObjectId: '1', instanceId: '2', apiSessionId: 'abc123abc123', userId: '9' },
    ...{ role: 'Learner', permissions, isReadOnly: false, ...more },
  }
}

describe('permissions', () => {
  it.each<[readonly Permission[], object | undefined, boolean]>([
    [['Read'], browse, false],
    [['Read', 'Participate'], normal, false],
    [['Participate', 'Read'], normal, false],
    [['Read', 'Participate', 'Evaluate'], { mode: 'normal', readsOthers: true }, false],
    [['Read', 'Modify'], browse, true],
    [['Modify'], browse, true],
    [['ModifyInstance', 'Participate'], normal, true],
    [[], undefined, false],
  ])('S3.6 %j give what they mean, the most of them counts', (permissions, opening, author) => {
    const it = launch(permissions)
    expect([openingOf(it, gives), isAuthor(it, gives)]).toEqual([opening, author])
  })

  it('S3.6 S3.7 give what the content says instead', () => {
    const own = {
      ...gives,
      read: 'normal',
      evaluate: 'nothing',
      modify: 'evaluate',
      modifyInstance: 'nothing',
    } as const
    expect(openingOf(launch(['Read']), own)).toEqual(normal)
    expect(openingOf(launch(['Evaluate', 'ModifyInstance']), own)).toBeUndefined()
    expect(isAuthor(launch(['Modify', 'ModifyInstance']), own)).toBe(false)
    expect(openingOf(launch(['Modify']), own)).toEqual({ mode: 'normal', readsOthers: true })
  })

  it.each(['Staff', 'Learner', 'Guest'] as const)('S3.11 are not widened by the role %s', (role) => {
    for (const permissions of [['Read'], ['Read', 'Participate'], []] as const) {
      const [as, plain] = [launch(permissions, { role }), launch(permissions)]
      expect([openingOf(as, gives), isAuthor(as, gives)]).toEqual([openingOf(plain, gives), isAuthor(plain, gives)])
    }
  })

  it('are narrowed where nothing may be changed', () => {
    const it = launch(['Read', 'Participate', 'Modify'], { isReadOnly: true })
    expect([openingOf(it, gives), isAuthor(it, gives)]).toEqual([{ mode: 'review', readsOthers: false }, false])
    expect(openingOf(launch(['Read'], { isReadOnly: true }), gives)).toEqual(browse)
  })
})
