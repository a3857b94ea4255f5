// SCORM Cloud's first API: one path, a method in the query, XML. Its route, and what the command line may ask about it.

import type { Context, Hono } from 'hono'
import type { Core } from '../../core/core.ts'
import type { Face, FaceEnv } from '../face.ts'
import { faceApp, holdAnswer, methodNotAllowed } from '../http.ts'
import { accessFor } from './access.ts'
import { signIn } from './auth.ts'
import { presentError } from './errors.ts'
import { methodOf } from './methods.ts'
import { readParameters } from './parameters.ts'
import { showCredential } from './show.ts'
import { switches } from './switches.ts'
import { presentSuccess, xmlHeaders } from './wire.ts'
import { presets } from './words.ts'

/** The documented one, and the one below the service URL of the .NET, Java and PHP libraries; PHP makes `//` of its slash. */
const paths = ['/api', '/EngineWebServices/api'] as const

function routes(core: Core): Hono<FaceEnv> {
  const app = faceApp(core, { name: 'scormcloud-v1', presentError })
  for (const path of paths) {
    app.on(['GET', 'POST'], path, async (c) => {
      const text = presentSuccess(await answer(c, core))
      holdAnswer(c, text.length)
      return c.body(text, 200, xmlHeaders)
    })
  }
  return app
}

async function answer(c: Context<FaceEnv>, core: Core): Promise<string> {
  // Here a GET may create: who asks for headers alone asks for nothing to be done.
  if (c.req.method === 'HEAD') throw methodNotAllowed('HEAD', ['GET', 'POST'])
  const parameters = await readParameters(c)
  const method = methodOf(parameters)
  return method.isSigned ? method.answer(await signIn(c, core, parameters)) : method.answer(core)
}

export const scormcloudV1: Face = {
  name: 'scormcloud-v1',
  mounts: paths.map((path) => ({ path, isExact: true, isBase: path === '/api', toleratesSlashes: true })),
  routes,
  switches,
  presets,
  accessFor,
  showCredential,
}
