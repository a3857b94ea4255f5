import { expect, it } from 'vitest'
import { missingBuilds } from './complete-lockfile.ts'

it('names the builds that are asked for and not locked', () => {
  const packages = {
    '': {},
    'node_modules/tool': {
      dev: true,
      optionalDependencies: {
        '@tool/binding-linux-arm64-musl': '1.2.3',
        '@tool/binding-win32-x64-msvc': '1.2.3',
        '@tool/binding-linux-x64-gnu': '1.2.3',
        'fancy-extra': '^2.0.0',
      },
    },
    'node_modules/@tool/binding-linux-x64-gnu': { version: '1.2.3' },
  }
  expect(missingBuilds(packages)).toEqual({
    'node_modules/@tool/binding-linux-arm64-musl': {
      version: '1.2.3',
      dev: true,
      optional: true,
      cpu: ['arm64'],
      os: ['linux'],
      libc: ['musl'],
    },
    'node_modules/@tool/binding-win32-x64-msvc': {
      version: '1.2.3',
      dev: true,
      optional: true,
      cpu: ['x64'],
      os: ['win32'],
    },
  })
})

it('finds nothing in a complete file', () => {
  expect(missingBuilds({ '': {}, 'node_modules/tool': {} })).toEqual({})
})
