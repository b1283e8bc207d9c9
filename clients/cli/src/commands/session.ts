/** `session`: starts and shows coach sessions. */
import type { Command } from 'commander';
import type { components } from '@prompt-registry/client';
import type { Act, Context } from '../context.ts';
import { defined } from '../defined.ts';
import { EXIT } from '../exit.ts';
import { withFields } from '../fields.ts';
import { attributes as parseAttributes, name } from '../arguments.ts';

type Session = components['schemas']['Session'];

/** Checks that a response is a session. */
const asSession = withFields({
  sessionId: 'string',
  startedAt: 'string',
  expiresAt: 'string',
  promptPack: 'object',
  prompt: 'object',
});

interface StartOptions {
  readonly style?: string;
  readonly channel?: string;
  readonly subject?: string;
  readonly attribute?: Readonly<Record<string, string>>;
}

export function addSession(program: Command, act: Act): void {
  const session = program.command('session').description('Start and show coach sessions');

  session
    .command('start')
    .description('Start a session on the active version of the default pack')
    .option('--style <id>', "The style (default: the version's default style)", name)
    .option('--channel <name>', "The channel (default: the pack's default channel)", name)
    .option('--subject <id>', 'The id of the user, which decides the version while a rollout runs')
    .option('--attribute <name=value>', 'A fact about the user, e.g. country=de (repeatable)', parseAttributes)
    .action(
      act<StartOptions>(async (context, { style: styleId, channel, subject, attribute: attributes }) => {
        const registry = await context.registry();
        const { data } = await registry
          .ask((api) => api.POST('/v1/coach/sessions', { body: defined({ styleId, channel, subject, attributes }) }))
          .then(asSession);
        return print(context, data);
      }),
    );

  session
    .command('show')
    .description('Show a session and the version it runs on')
    .argument('<sessionId>', 'Id of the session')
    .action(
      act<object, [string]>(async (context, _, sessionId) => {
        const registry = await context.registry();
        const { data } = await registry
          .ask((api) => api.GET('/v1/coach/sessions/{sessionId}', { params: { path: { sessionId } } }))
          .then(asSession);
        return print(context, data);
      }),
    );
}

function print({ out }: Context, session: Session) {
  const {
    sessionId,
    startedAt,
    expiresAt,
    promptPack: { pack, version, channel, revision },
    prompt: { style },
    superseded,
    movedFrom,
    assignment,
  } = session;
  out.result(session, () =>
    out.table([
      ['session', sessionId],
      ['runs on', ['bold', `${pack} ${version}`]],
      ['channel', `${channel}, revision ${revision}`],
      ['style', `${style.id} (${style.title})`],
      ['started', startedAt],
      ['expires', expiresAt],
      ...(assignment === undefined ? [] : [['rollout', `${assignment.rollout}, ${assignment.arm} version`]]),
      ...(superseded
        ? [['superseded', ['yellow', 'the channel has moved; the session keeps its version']] as const]
        : []),
      ...(movedFrom === undefined
        ? []
        : [['moved from', ['yellow', `${movedFrom.version}, which was revoked or left`]] as const]),
    ]),
  );
  return EXIT.ok;
}
