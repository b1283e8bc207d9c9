/** What all commands that move a channel have in common: their options, and their first steps. */
import type { Command } from 'commander';
import type { RegistryClient } from '@prompt-registry/client';
import { timeoutFor, type ChannelRef, type MoveOptions } from '../channel-move.ts';
import type { Context } from '../context.ts';
import { requireAnswers } from '../questions.ts';
import { name, waitSeconds } from '../arguments.ts';

export type { MoveOptions } from '../channel-move.ts';

/** The API requires a reason for a dry run, too; it is not stored. */
export const DRY_RUN_REASON = 'Dry run';

/** Adds the options of every move. */
export function move(command: Command): Command {
  return change(command).option('--wait <seconds>', 'Wait up to 30 seconds for all instances to apply it', waitSeconds);
}

/** Adds the options of every change that is shown and confirmed. */
export function change(command: Command): Command {
  return command
    .option('--pack <name>', 'The pack (default: the default pack)', name)
    .option('--reason <text>', 'Why; asked for if not given')
    .option('-y, --yes', 'Do not ask for confirmation')
    .option('--dry-run', 'Only show what would happen');
}

/** The first steps of each move: checks that questions can be answered, and finds the registry and the channel. */
export async function begin(
  context: Context,
  options: MoveOptions,
): Promise<{ registry: RegistryClient; channelRef: ChannelRef }> {
  if (options.dryRun !== true) requireAnswers(context, options);
  const registry = await context.registry(timeoutFor(options.wait));
  return { registry, channelRef: { pack: await context.pack(options.pack), channel: options.channel } };
}
