// What requests of 1.0.x get of statements stored with 2.0, as configured.

import { describe, expect, it } from 'vitest'
import { clientOf, openStage, statement } from '../../../test/support/xapi.ts'

const contextAgents = [{ objectType: 'contextAgent', agent: { name: 'A', mbox: 'mailto:a@example.org' } }]

describe.each(['as-stored', 'strip'] as const)('CLAVIGER_XAPI_DOWNGRADE=%s', (xapiDowngrade) => {
  it('in every format, in lists and by id; a 2.0 reader gets all', async () => {
    const stage = await openStage({ xapiDowngrade })
    const two = await stage.as('xapi')
    const one = clientOf(stage.app, two, '1.0.3')
    const stored = statement({ context: { language: 'en', contextAgents } })
    await two.post(stored)
    for (const format of ['exact', 'ids', 'canonical']) {
      const whole = (await two.get(`statements?statementId=${stored.id}&format=${format}`)).json
      expect(whole.context.contextAgents).toHaveLength(1)
      const { contextAgents: _, ...context } = whole.context
      const expected = xapiDowngrade === 'strip' ? { ...whole, context, version: '1.0.0' } : whole
      expect((await one.get(`statements?statementId=${stored.id}&format=${format}`)).json).toEqual(expected)
      expect((await one.get(`statements?format=${format}`)).json.statements).toEqual([expected])
    }
    await stage.close()
  })
})
