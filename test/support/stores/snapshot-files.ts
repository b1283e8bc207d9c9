/** Looking into the file of the last good snapshot from outside. */
import { readFileSync } from 'node:fs';
import { Seal } from '../../../registry/local/seal.ts';

/** Its format, and the revision up to which it goes: that of its last event, or else of the state that it begins with. */
export function formatAndRevision(file: string): { readonly format: number; readonly revision: number } {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  const { format, revision } = JSON.parse(lines[0] ?? '{}') as { format: number; revision: number };
  const last = JSON.parse(lines.at(-1) ?? '{}') as { events?: readonly { revision: number }[] };
  return { format, revision: last.events?.at(-1)?.revision ?? revision };
}

/**
 * The file of somebody who changes its lines and knows the format: with seals that fit, as far as they can be made with the key at hand.
 * @param change what becomes of a line of the state
 */
export function resealed(bytes: Buffer, change: (line: string) => string, key?: Uint8Array): string {
  const [first = '', ...rest] = bytes.toString().split('\n').slice(0, -1);
  const seal = new Seal(key);
  const written: string[] = [];
  for (const line of [JSON.stringify({ ...(JSON.parse(first) as object), sealed: seal.kind }), ...rest]) {
    const { events, seal: sealed } = JSON.parse(line) as { events?: unknown; seal?: unknown };
    if (events !== undefined) {
      const text = JSON.stringify(events);
      written.push(`{"events":${text},"seal":"${seal.update(text).close()}"}`);
    } else if (sealed !== undefined) written.push(JSON.stringify({ seal: seal.close() }));
    else {
      const changed = change(line);
      if (changed === '') continue;
      written.push(changed);
      seal.update(`${changed}\n`);
    }
  }
  return `${written.join('\n')}\n`;
}
