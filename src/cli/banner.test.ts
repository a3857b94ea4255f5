// What a start prints, as far as it depends on the faces.

import { expect, it } from 'vitest'
import { enabledFaces } from '../app.ts'
import { loadConfig } from '../config.ts'
import { banner } from './banner.ts'

it('names each API by what clients are configured with, and the paths of applications once', () => {
  const config = loadConfig({ CLAVIGER_DATA: '/nowhere', CLAVIGER_BASE_URL: 'https://lrs.example.org:8443' })
  const listening = { config, url: 'http://127.0.0.1:8080' }
  const text = banner(enabledFaces(config), listening, { first: undefined, organisations: [1] })
  const paths = [...text.matchAll(/https:\/\/lrs\.example\.org:8443(\S+)/g)].map(([, path]) => path)
  expect(paths).toEqual([
    ...['/xapi/', '/management/v1', '/api/v2/client', '/data/xAPI/', '/api', '/api/v2', '/lrs/{appId}/'],
    ...['/api/organizations/1/activity-providers', '/api/organizations/1/lrs/'],
  ])
})
