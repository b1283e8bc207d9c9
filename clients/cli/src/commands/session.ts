/** `session`: start a coach session, read one again. */
import type { Command } from 'commander';
import type { components } from '@prompt-registry/client';
import type { Act, Context } from '../context.ts';
import { defined } from '../defined.ts';
import { EXIT } from '../exit.ts';
import { having } from '../shape.ts';
import { name } from '../values.ts';

type Session = components['schemas']['Session'];

/** An answer that is a session. */
const whole = having({
  sessionId: 'string',
  startedAt: 'string',
  expiresAt: 'string',
  promptPack: 'object',
  prompt: 'object',
});

interface StartOptions {
  readonly style?: string;
  readonly channel?: string;
}

export function addSession(program: Command, act: Act): void {
  const session = program.command('session').description('coach sessions');

  session
    .command('start')
    .description('start one on the active version of the default pack')
    .option('--style <id>', "its style; the version's default style where none is named", name)
    .option('--channel <name>', 'the channel; the default channel where none is named', name)
    .action(
      act<StartOptions>(async (context, { style: styleId, channel }) => {
        const registry = await context.registry();
        const { data } = await registry
          .ask((api) => api.POST('/v1/coach/sessions', { body: defined({ styleId, channel }) }))
          .then(whole);
        return tell(context, data);
      }),
    );

  session
    .command('show')
    .description('a session, and the version that it keeps')
    .argument('<sessionId>', 'as its start gave it')
    .action(
      act<object, [string]>(async (context, _, sessionId) => {
        const registry = await context.registry();
        const { data } = await registry
          .ask((api) => api.GET('/v1/coach/sessions/{sessionId}', { params: { path: { sessionId } } }))
          .then(whole);
        return tell(context, data);
      }),
    );
}

function tell({ out }: Context, session: Session) {
  const {
    sessionId,
    startedAt,
    expiresAt,
    promptPack: { pack, version, channel, revision },
    prompt: { style },
    superseded,
    movedFrom,
  } = session;
  out.answer(session, () =>
    out.table([
      ['session', sessionId],
      ['runs on', ['bold', `${pack} ${version}`]],
      ['channel', `${channel}, revision ${revision}`],
      ['style', `${style.id} (${style.title})`],
      ['from', startedAt],
      ['until', expiresAt],
      ...(superseded
        ? [['superseded', ['yellow', 'the channel has moved on; the session keeps its version']] as const]
        : []),
      ...(movedFrom === undefined
        ? []
        : [['moved from', ['yellow', `${movedFrom.version}, which was revoked`]] as const]),
    ]),
  );
  return EXIT.ok;
}
