/**
 * `assign`: which version a user gets, and why.
 *
 * Rule: it is decided here, from the rule of the channel, as the registry and its clients decide. The id of the user is not sent.
 */
import type { Command } from 'commander';
import type { AssignmentReason, ExplainedAssignment } from '../../../../registry/assignment/explain.ts';
import type { Act, Context } from '../context.ts';
import { currentOf } from '../channel-move.ts';
import { channelStateOf, requireActive, type ChannelState } from '../channel-state.ts';
import { CliError, EXIT, wrongUsage } from '../exit.ts';
import { conditionText, nameOf, rolloutIn } from '../rollout-text.ts';
import { attributes as parseAttributes, name } from '../arguments.ts';

interface AssignOptions {
  readonly pack?: string;
  readonly channel?: string;
  readonly attribute?: Readonly<Record<string, string>>;
}

export function addAssign(program: Command, act: Act): void {
  program
    .command('assign')
    .description('Show which version a user gets while a rollout runs, and why')
    .argument('<subject>', 'The id of the user, as your application sends it; it stays on this machine')
    .option('--attribute <name=value>', 'A fact about the user, e.g. country=de (repeatable)', parseAttributes)
    .option('--pack <name>', 'The pack (default: the default pack)', name)
    .option('--channel <name>', "The channel (default: the pack's default channel)", name)
    .action(act<AssignOptions, [string]>(assign));
}

async function assign(context: Context, { pack: named, channel, attribute = {} }: AssignOptions, subject: string) {
  requireLimits(subject, attribute);
  const registry = await context.registry();
  const channelRef = { pack: await context.pack(named), channel };
  const { active } = requireActive(await currentOf(registry, channelRef), channelRef);
  const state = await channelStateOf(registry, active.pack, active.channel);
  const decided = await decide(state?.rollout, subject, attribute);
  const rollout = rolloutIn(state);
  const version = decided?.arm === 'candidate' ? (rollout?.version ?? active.version) : active.version;
  const where = { pack: active.pack, channel: active.channel };
  context.out.result(
    {
      ...where,
      subject,
      attributes: attribute,
      version,
      arm: 'stable',
      ...decided,
      ...(rollout !== undefined && { rollout }),
    },
    () => {
      const place = `${where.pack} ${version} in ${where.channel}`;
      context.out.say(
        rollout === undefined || decided === undefined
          ? `${subject} gets ${place}, as everybody does: no rollout runs.`
          : `${subject} gets ${place}: the ${decided.arm} version of ${nameOf(rollout)} (${rollout.state} at ${rollout.share}%).`,
      );
      if (rollout !== undefined && decided !== undefined)
        context.out.say(`  ${reasonText(decided, rollout.share, attribute)}`);
    },
  );
  return EXIT.ok;
}

/** The limits of the API; nothing else would refuse what is not sent. @throws CliError `wrong-usage` */
function requireLimits(subject: string, attributes: Readonly<Record<string, string>>): void {
  const length = Array.from(subject).length;
  if (length > 200) throw wrongUsage(`The subject has ${length} characters; at most 200 are allowed.`);
  const given = Object.keys(attributes).length;
  if (given > 20) throw wrongUsage(`${given} attributes are given; at most 20 are allowed.`);
}

async function decide(
  rollout: ChannelState['rollout'],
  subject: string,
  attributes: Readonly<Record<string, string>>,
): Promise<ExplainedAssignment | undefined> {
  if (rollout === undefined) return undefined;
  if (rollout.hash !== 'v1')
    throw new CliError(
      `The registry assigns users by "${String(rollout.hash)}", which this command line does not know.`,
      {
        exit: EXIT.unavailable,
        code: 'not-understood',
        hint: 'Use the command line of the same version as the registry.',
      },
    );
  const { explainAssignment } = await import('../../../../registry/assignment/explain.ts');
  const { salt, share, audience } = rollout;
  return explainAssignment({ salt, share: Math.round(share * 1000), audience }, subject, attributes);
}

function reasonText(reason: AssignmentReason, share: number, attributes: Readonly<Record<string, string>>): string {
  if (reason.because === 'tester') return 'It is one of the testers, who always get the candidate.';
  if (reason.because === 'bucket') {
    const { bucket } = reason;
    const limit = Math.round(share * 1000);
    return `Its bucket is ${bucket} of 0 to 99999; buckets below ${limit} (${share}%) get the candidate.`;
  }
  const { attribute } = reason.unmet;
  const given = attributes[attribute];
  return `It is not in the audience: "${conditionText(reason.unmet)}" does not hold, because ${attribute} is ${given === undefined ? 'not given' : `"${given}"`}.`;
}
