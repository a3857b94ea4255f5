// A real Chromium for tests, from npm alone: unpacked once per checkout, driven by playwright-core. Knows nothing of what
// its pages do. `CHROME_PATH` names another Chromium or Chrome, needed where npm's does not run: it is for Linux on x64.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium } from 'playwright-core'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** One for all tests of a file; `close()` ends it. A test that needs it fails where it cannot start: none is skipped. */
export async function startBrowser(): Promise<Browser> {
  try {
    const chosen = process.env['CHROME_PATH']
    // Playwright switches background networking off, and the sandbox, which Chromium does not have as root.
    return await chromium.launch(chosen ? { executablePath: chosen } : unpacked())
  } catch (error) {
    throw new Error(
      'Chromium did not start. The tests use the one of npm @sparticuz/chromium (Linux, x64); elsewhere set CHROME_PATH ' +
        `to a Chromium or Chrome.\n${(error as Error).message}`,
      { cause: error },
    )
  }
}

/** Where the package's files are unpacked: by version, beside the packages, so that `npm ci` clears them away. */
function unpacked(): { executablePath: string; env: Record<string, string> } {
  const home = join(root, 'node_modules/@sparticuz/chromium')
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string }
  const cache = join(root, 'node_modules/.cache')
  const folder = join(cache, `chromium-${version}`)
  if (!existsSync(folder)) unpack(cache, folder)
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    // Its own libraries and fonts on every machine: a bare Debian has neither NSS nor a font.
    LD_LIBRARY_PATH: join(folder, 'al2023/lib'),
    FONTCONFIG_FILE: join(folder, 'fonts.conf'),
  }
  return { executablePath: join(folder, 'chromium'), env }
}

function unpack(cache: string, folder: string): void {
  mkdirSync(cache, { recursive: true })
  const unfinished = mkdtempSync(`${folder}-`)
  // The package unpacks into the temporary directory, and its libraries only where it takes itself to be on AWS Lambda.
  execFileSync(
    process.execPath,
    ['--input-type=module', '-e', "await (await import('@sparticuz/chromium')).default.executablePath()"],
    { cwd: root, env: { ...process.env, TMPDIR: unfinished, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x' } },
  )
  // Its home is the folder, wherever that is copied to: without fonts a page has no text that a test could see.
  const fonts = '<fontconfig><dir>~/fonts</dir><cachedir>~/fonts-cache</cachedir></fontconfig>'
  writeFileSync(join(unfinished, 'fonts.conf'), `<?xml version="1.0"?>\n${fonts}\n`)
  try {
    renameSync(unfinished, folder)
  } catch (error) {
    // Another test file was faster.
    rmSync(unfinished, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
}
