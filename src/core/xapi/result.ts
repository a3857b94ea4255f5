// Results and scores.

import { duration } from './duration.ts'
import { extensions } from './extensions.ts'
import type { Check, JsonObject, Rule } from './rule.ts'
import { record, shown, text, truth } from './rule.ts'

function decimal(rule: string, what = 'a number', isInRange: (value: number) => boolean = () => true): Rule {
  return (value, check) => {
    if (typeof value === 'number' && isInRange(value)) return
    check.refuse(value === null ? 'XAPI-00001' : rule, `Expected ${what}, unquoted, got ${shown(value)}.`)
  }
}

const score = record({
  what: 'a score',
  rule: 'XAPI-00079',
  members: {
    scaled: decimal('XAPI-00083', 'a number from -1 to 1', (value) => value >= -1 && value <= 1),
    raw: decimal('XAPI-00082'),
    min: decimal('XAPI-00081'),
    max: decimal('XAPI-00080'),
  },
  whole: checkBounds,
})

function checkBounds({ raw, min, max }: JsonObject, check: Check): void {
  if (typeof min === 'number' && typeof max === 'number' && min >= max) {
    check.refuseAt('min', 'XAPI-00081', `"min" (${min}) must be less than "max" (${max}).`)
  }
  if (typeof raw !== 'number') return
  if (typeof min === 'number' && raw < min)
    check.refuseAt('raw', 'XAPI-00082', `"raw" (${raw}) is below "min" (${min}).`)
  if (typeof max === 'number' && raw > max)
    check.refuseAt('raw', 'XAPI-00082', `"raw" (${raw}) is above "max" (${max}).`)
}

export const result = record({
  what: 'a Result',
  rule: 'XAPI-00006',
  members: {
    score,
    success: truth('XAPI-00074'),
    completion: truth('XAPI-00075'),
    response: text('XAPI-00076'),
    duration: duration('XAPI-00077'),
    extensions: extensions('XAPI-00078'),
  },
})
