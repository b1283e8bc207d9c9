/** `keys`: made, listed, revoked. A secret is on stdout, alone, and nowhere else. */
import type { Command } from 'commander';
import type { components, RegistryClient } from '@prompt-registry/client';
import type { Act, Context } from '../context.ts';
import { defined } from '../defined.ts';
import { Complaint, EXIT, type ExitCode } from '../exit.ts';
import { sendOnce } from '../sending.ts';
import type { Cell } from '../output.ts';
import { confirm, demandAnswers, reasonFor } from '../prompt.ts';
import { having } from '../shape.ts';
import { timeAhead } from '../values.ts';

type Key = components['schemas']['Key'];

interface CreateOptions {
  readonly scope: components['schemas']['CreateKeyRequest']['scopes'];
  readonly expires?: string;
}

/** Scopes, with those before them; the registry says which there are. */
function scopes(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(',').map((scope) => scope.trim())];
}

interface RevokeOptions {
  readonly reason?: string;
  readonly yes?: boolean;
}

export function addKeys(program: Command, act: Act): void {
  const keys = program.command('keys').description('API keys');

  keys
    .command('list')
    .description('every key that was ever made, without its secret')
    .action(
      act(async (context) => {
        const registry = await context.registry();
        const data = await listed(registry);
        context.out.answer(data, () => context.out.table(data.keys.map(row)));
        return EXIT.ok;
      }),
    );

  keys
    .command('create')
    .description('make a key; its secret is printed on stdout, this once')
    .argument('<label>', 'who or what it is for; stands in the log as who acted')
    .requiredOption(
      '--scope <scope>',
      'what it may do, repeated or with commas: prompts:read, sessions:start, packs:publish, packs:activate, packs:revoke, audit:read, metrics:read, keys:admin, or "*" for all',
      scopes,
    )
    .option(
      '--expires <time>',
      'when it stops working, e.g. 2027-01-31, or 90d for in 90 days; never where not given',
      timeAhead,
    )
    .action(act<CreateOptions, [string]>(create));

  keys
    .command('revoke')
    .description('it stops working with the next request')
    .argument('<keyId>', 'its id, see keys list')
    .option('--reason <text>', 'why; asked for where it is not given')
    .option('-y, --yes', 'do it without asking')
    .action(act<RevokeOptions, [string]>(revoke));
}

async function listed(registry: RegistryClient): Promise<{ keys: Key[] }> {
  return (await registry.ask((api) => api.GET('/v1/keys')).then(having({ keys: 'list' }))).data;
}

function row({ keyId, label, scopes, createdAt, createdBy, expiresAt, revokedAt }: Key): Cell[] {
  const state: Cell =
    revokedAt !== undefined
      ? ['red', `revoked ${revokedAt}`]
      : expiresAt !== undefined
        ? ['yellow', `until ${expiresAt}`]
        : ['green', 'works'];
  return [['bold', keyId], state, scopes.join(','), `made ${createdAt} by ${createdBy.label}`, label];
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
        .then(having({ keyId: 'string', scopes: 'list' })),
    'keys list',
  );
  const { keyId, secret, expiresAt } = data;
  if (secret === undefined) throw secretLost(keyId, EXIT.unavailable, 'the answer with its secret was lost on the way');
  context.onceOnly = secretLost(keyId, EXIT.unwritten, 'its secret could not be written');
  context.out.answer(data, () => {
    context.out.note(
      `Key ${keyId} for "${label}": ${data.scopes.join(', ')}${expiresAt === undefined ? '' : `, until ${expiresAt}`}. This is shown once:`,
    );
    context.out.say(secret);
  });
  return EXIT.ok;
}

/** It is told once only. */
function secretLost(keyId: string, exit: ExitCode, why: string): Complaint {
  return new Complaint(`Key ${keyId} was made, but ${why}, and it is not told twice.`, {
    exit,
    code: 'secret-lost',
    hint: `Revoke it and make another one: prompt-registry keys revoke ${keyId}`,
    members: { keyId },
  });
}

/** Shows whose key it is: an id says nothing to whoever is asked. @throws Complaint where there is no such key */
function tellKey({ out, where }: Context, keyId: string, keys: readonly Key[]): void {
  const key = keys.find((each) => each.keyId === keyId);
  if (key === undefined)
    throw new Complaint(`There is no key "${keyId}".`, {
      exit: EXIT.refused,
      code: 'key-not-found',
      hint: 'prompt-registry keys list shows the keys there are.',
    });
  out.aside(
    `Key ${keyId} is "${key.label}": ${key.scopes.join(', ')}; made ${key.createdAt} by ${key.createdBy.label}${key.revokedAt === undefined ? '' : `; revoked already, ${key.revokedAt}`}.`,
  );
  if (keyId === where?.keyId) out.aside('It is the key that this command uses itself.');
}

async function revoke(context: Context, { reason: given, yes }: RevokeOptions, keyId: string) {
  demandAnswers(context, { reason: given, yes });
  const registry = await context.registry();
  if (yes !== true) tellKey(context, keyId, (await listed(registry)).keys);
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
        .then(having({ keyId: 'string', label: 'string' })),
    'keys list',
  );
  context.out.answer(data, () => context.out.say(`Revoked key ${data.keyId} (${data.label}).`));
  return EXIT.ok;
}
