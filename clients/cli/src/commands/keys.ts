/** `keys`: lists, creates and revokes API keys. A new secret goes to stdout alone, and nowhere else. */
import type { Command } from 'commander';
import type { components, RegistryClient } from '@prompt-registry/client';
import type { Act, Context } from '../context.ts';
import { defined } from '../defined.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { sendOnce } from '../send-change.ts';
import type { Cell } from '../output.ts';
import { confirm, requireAnswers, reasonFor } from '../questions.ts';
import { withFields } from '../fields.ts';
import { list, timeAhead } from '../arguments.ts';

type Key = components['schemas']['Key'];

interface CreateOptions {
  readonly scope: components['schemas']['CreateKeyRequest']['scopes'];
  readonly expires?: string;
}

interface RevokeOptions {
  readonly reason?: string;
  readonly yes?: boolean;
}

export function addKeys(program: Command, act: Act): void {
  const keys = program.command('keys').description('Manage API keys');

  keys
    .command('list')
    .description('List all keys, including revoked ones, without their secrets')
    .action(
      act(async (context) => {
        const registry = await context.registry();
        const data = await listed(registry);
        context.out.result(data, () => context.out.table(data.keys.map(row)));
        return EXIT.ok;
      }),
    );

  keys
    .command('create')
    .description('Create a key and print its secret, which is shown only once')
    .argument('<label>', 'Who or what the key is for; the log shows it as the actor')
    .requiredOption(
      '--scope <scope>',
      'What the key may do (repeatable, or comma-separated): prompts:read, sessions:start, packs:publish, packs:activate, packs:revoke, audit:read, metrics:read, keys:admin, or "*" for everything',
      list,
    )
    .option('--expires <time>', 'When it expires, e.g. 2027-01-31, or 90d for in 90 days (default: never)', timeAhead)
    .action(act<CreateOptions, [string]>(create));

  keys
    .command('revoke')
    .description('Revoke a key; it stops working immediately')
    .argument('<keyId>', 'Id of the key, as shown by "keys list"')
    .option('--reason <text>', 'Why; asked for if not given')
    .option('-y, --yes', 'Do not ask for confirmation')
    .action(act<RevokeOptions, [string]>(revoke));
}

async function listed(registry: RegistryClient): Promise<{ keys: Key[] }> {
  return (await registry.ask((api) => api.GET('/v1/keys')).then(withFields({ keys: 'list' }))).data;
}

function row({ keyId, label, scopes, createdAt, createdBy, expiresAt, revokedAt }: Key): Cell[] {
  const state: Cell =
    revokedAt !== undefined
      ? ['red', `revoked ${revokedAt}`]
      : expiresAt !== undefined
        ? ['yellow', `expires ${expiresAt}`]
        : ['green', 'active'];
  return [['bold', keyId], state, scopes.join(','), `created ${createdAt} by ${createdBy.label}`, label];
}

async function create(context: Context, { scope, expires }: CreateOptions, label: string) {
  const registry = await context.registry();
  const { data } = await sendOnce(
    context,
    (key) =>
      registry
        .ask((api) =>
          api.POST('/v1/keys', {
            params: { header: { 'idempotency-key': key } },
            body: { label, scopes: scope, ...defined({ expiresAt: expires }) },
          }),
        )
        .then(withFields({ keyId: 'string', scopes: 'list' })),
    'keys list',
  );
  const { keyId, secret, expiresAt } = data;
  if (secret === undefined) throw secretLost(keyId, EXIT.unavailable, 'the response with its secret was lost');
  context.unwrittenError = secretLost(keyId, EXIT.unwritten, 'its secret could not be written');
  context.out.result(data, () => {
    context.out.note(
      `Key ${keyId} for "${label}": ${data.scopes.join(', ')}${expiresAt === undefined ? '' : `; expires ${expiresAt}`}. The secret is shown only once:`,
    );
    context.out.say(secret);
  });
  return EXIT.ok;
}

/** The registry returns a secret only once. */
function secretLost(keyId: string, exit: ExitCode, why: string): CliError {
  return new CliError(`Key ${keyId} was created, but ${why}. It cannot be shown again.`, {
    exit,
    code: 'secret-lost',
    hint: `Revoke it and create another one: prompt-registry keys revoke ${keyId}`,
    members: { keyId },
  });
}

/** Shows whose key it is: an id alone says little. @throws CliError if the key does not exist */
function printKey({ out, target }: Context, keyId: string, keys: readonly Key[]): void {
  const key = keys.find((each) => each.keyId === keyId);
  if (key === undefined)
    throw new CliError(`Key "${keyId}" does not exist.`, {
      exit: EXIT.refused,
      code: 'key-not-found',
      hint: 'Run "prompt-registry keys list" to see all keys.',
    });
  out.aside(
    `Key ${keyId} is "${key.label}": ${key.scopes.join(', ')}; created ${key.createdAt} by ${key.createdBy.label}${key.revokedAt === undefined ? '' : `; already revoked ${key.revokedAt}`}.`,
  );
  if (keyId === target?.keyId) out.aside('This command is using this key itself.');
}

async function revoke(context: Context, { reason: given, yes }: RevokeOptions, keyId: string) {
  requireAnswers(context, { reason: given, yes });
  const registry = await context.registry();
  if (yes !== true) printKey(context, keyId, (await listed(registry)).keys);
  const reason = await reasonFor(context, given);
  await confirm(context, `Revoke key ${keyId}?`, yes);
  const { data } = await sendOnce(
    context,
    (key) =>
      registry
        .ask((api) =>
          api.POST('/v1/keys/{keyId}/revoke', {
            params: { path: { keyId }, header: { 'idempotency-key': key } },
            body: { reason },
          }),
        )
        .then(withFields({ keyId: 'string', label: 'string' })),
    'keys list',
  );
  context.out.result(data, () => context.out.say(`Revoked key ${data.keyId} (${data.label}).`));
  return EXIT.ok;
}
