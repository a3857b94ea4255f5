// claviger launch …: who was let into which content, what became of it, and letting somebody in by hand.

import type { Command } from 'commander'
import type { CommandContext } from '../context.ts'
import type { Act } from '../run.ts'
import { addLaunchDemo } from './launch-demo.ts'

export function addLaunch(program: Command, context: CommandContext, act: Act): void {
  const group = program.command('launch').description('who was let into which content, and how that went')
  addLaunchDemo(group, context, act)
}
