// Opens an address in the browser of the desktop that the command was typed on. Where there is none, that is said: whoever calls has
// printed the address, too.

import { spawn } from 'node:child_process'

const openers: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ['open'],
  // Not `start`: the shell would read & and ^ of the address.
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
}

export function openBrowser(address: string): void {
  const [command = '', ...words] = openers[process.platform] ?? ['xdg-open']
  const browser = spawn(command, [...words, address], { stdio: 'ignore', detached: true })
  browser.on('error', () => console.error('There is no browser here: open the address in one that reaches the server.'))
  browser.unref()
}
