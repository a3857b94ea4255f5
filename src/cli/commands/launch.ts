// claviger launch …: who was let into which content, what became of it, and letting somebody in by hand.

import type { Command } from 'commander'
import type { CommandContext } from '../context.ts'
import type { Act } from '../run.ts'

export function addLaunch(program: Command, _context: CommandContext, _act: Act): void {
  program.command('launch').description('who was let into which content, and how that went')
}
