// itslearning as a kind of platform: what an operator sets for one, and what they enter at itslearning.

import { invalid } from '../../core/errors.ts'
import type { PlatformProtocol } from '../face.ts'
import { addressOf, pages, readSettings, settings } from './settings.ts'

export const protocol = 'itslearning'

export const itslearningPlatform: PlatformProtocol = {
  protocol,
  summary: 'launches signed by itslearning, as its extensions of type SSO are',
  settings,
  check(given) {
    const { customers, homePage } = readSettings(given)
    if (customers.length < 2 || homePage.includes('{customerId}')) return
    const message =
      'With several customers homePage holds {customerId}: the same number may be somebody else at another.'
    throw invalid(message, [{ pointer: '/settings/homePage', rule: 'claviger/platform', message }])
  },
  checkPlace(place, given) {
    const [, customer] = /^(0|[1-9]\d{0,9})\/(?:0|[1-9]\d{0,9})(?:\/(?:0|[1-9]\d{0,9}))?$/.exec(place) ?? []
    const { customers } = readSettings(given)
    if (customer !== undefined && customers.includes(Number(customer))) return
    const message =
      customer === undefined
        ? 'A place is CUSTOMER/OBJECT/INSTANCE, or CUSTOMER/OBJECT for all uses of a learning object that have none of their own: numbers.'
        : `The customer ${customer} is none of those whose people may come: ${customers.join(', ')}.`
    throw invalid(message, [{ pointer: '/place', rule: 'claviger/platform', message }])
  },
  addresses: ({ id, settings: kept }, baseUrl) =>
    pages.map((page) => ({ name: `${page} instance`, url: addressOf(page, { id, baseUrl, ...readSettings(kept) }) })),
}
