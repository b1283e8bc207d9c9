/**
 * Ten thousand watchers of one server, in a process that costs as little as possible: bare sockets that share one read buffer.
 *
 * On request of its parent it opens them, or sends a flip and reports how long it took until the last of them had it.
 */
import { once } from 'node:events';
import { connect } from 'node:net';

export type Order =
  | { readonly order: 'open'; readonly url: string; readonly authorization: string; readonly watchers: number }
  | { readonly order: 'flip'; readonly revision: number; readonly request: string };

/** The revision that the streams began at, and what a flip took. */
export interface Answer {
  readonly revision: number;
  readonly milliseconds: number;
}

/** Connections opened at the same time. */
const AT_ONCE = 100;

const buffer = Buffer.alloc(65_536);
let address: URL;
let revision = 0;
let awaited = '';
let heard = 0;
let all = 0;
let allHeard: () => void = () => undefined;

process.on('message', (order: Order) => {
  const done = order.order === 'open' ? open(order) : flip(order);
  void done.then((milliseconds) => process.send?.({ revision, milliseconds } satisfies Answer));
});
process.on('disconnect', () => process.exit());

async function open({ url, authorization, watchers }: Order & { order: 'open' }): Promise<number> {
  address = new URL(url);
  const head = `GET /v1/events HTTP/1.1\r\nHost: ${address.host}\r\nAuthorization: ${authorization}\r\n\r\n`;
  for (; all < watchers; all += AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, watchers - all) }, () => watch(head)));
  all = watchers;
  return 0;
}

/** Opens a stream; resolves with its first message. */
function watch(head: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let began = false;
    const take = (text: string) => {
      if (began) {
        if (awaited === '' || !text.includes(awaited)) return; // a heartbeat
        heard += 1;
        if (heard === all) allHeard();
        return;
      }
      if (!text.startsWith('HTTP/1.1 200') && !text.includes('event: revision')) reject(new Error(text));
      const found = /^id: (\d+)$/mu.exec(text)?.[1];
      if (found === undefined) return; // the head alone
      began = true;
      revision = Number(found);
      resolve();
    };
    const callback = (size: number) => {
      take(buffer.toString('latin1', 0, size));
      return true;
    };
    const socket = connect({
      host: address.hostname,
      port: Number(address.port),
      noDelay: true,
      onread: { buffer, callback },
    });
    socket.on('error', reject).on('close', () => process.exit(1));
    socket.write(head);
  });
}

async function flip({ revision: next, request }: Order & { order: 'flip' }): Promise<number> {
  awaited = `id: ${next}\n`;
  heard = 0;
  const done = new Promise<void>((resolve) => (allHeard = resolve));
  const control = connect({ host: address.hostname, port: Number(address.port), noDelay: true }); // one that says nothing for a while would be closed
  await once(control, 'connect');
  control.resume();
  const start = performance.now();
  control.write(request);
  await done;
  const took = performance.now() - start;
  control.destroy();
  revision = next;
  return took;
}
