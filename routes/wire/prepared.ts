/**
 * Prepared responses: what a channel answers depends on its pointer and its rollout alone, so the bytes and the ETag of both arms are made
 * once per move.
 *
 * Rule: the ETag is `"<revision>.<8 hex digits of the body's hash>"`. It changes with a rollback, although the content is an earlier one
 * (SPEC R4).
 */
import { createHash } from 'node:crypto';
import { movesOf, type ArmView, type Event, type Registry } from '../../registry/index.ts';

interface Prepared {
  readonly body: Buffer;
  /** In bytes, as `Content-Length` has it. */
  readonly length: string;
  readonly etag: string;
}

const prepared = new WeakMap<object, Prepared>();

/** The bytes and the ETag of a value from a view. The first call makes them. */
export function prepare(value: { readonly revision: number }): Prepared {
  let bytes = prepared.get(value);
  if (bytes === undefined) {
    const body = Buffer.from(JSON.stringify(value));
    bytes = {
      body,
      length: String(body.length),
      etag: `"${value.revision}.${createHash('sha256').update(body).digest('hex').slice(0, 8)}"`,
    };
    prepared.set(value, bytes);
  }
  return bytes;
}

/** From now on, prepares all responses of a channel when it moves. The first reader after a move does not wait for them. */
export function prepareOnMove(registry: Registry): void {
  registry.onChange((events, snapshot) => {
    for (const event of events) {
      for (const channel of channelsOf(event)) {
        const view = snapshot.views.get(event.pack ?? '')?.get(channel);
        for (const arm of [view, view?.rollout?.candidate]) if (arm !== undefined) prepareArm(arm);
      }
    }
  });
}

/** The channels whose answers an event may have changed. */
function channelsOf(event: Event): readonly string[] {
  return event.type === 'rollout-started' ? [event.channel ?? ''] : movesOf(event).map(({ channel }) => channel);
}

function prepareArm({ activePack, systemPrompt, styleList, stylePrompts }: ArmView): void {
  for (const value of [activePack, systemPrompt, styleList, ...stylePrompts.values()]) prepare(value);
}
