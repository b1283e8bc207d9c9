/**
 * Simulated histories of a correct pointer, in which bugs can be planted.
 *
 * Example: `simulate(randomFrom(seed), { clients: 4, operations: 30 })` is a history in which `check` finds nothing.
 */
import type { History, Operation, Told } from './checker.ts';
import type { MoveEvent } from './pointer-log.ts';

const VERSIONS = ['1.0.0', '1.1.0', '2.0.0', '2.1.0'];

interface Size {
  readonly clients: number;
  /** For each client. */
  readonly operations: number;
  /** Share of reads. */
  readonly reads?: number;
}

export type Draft = { -readonly [K in keyof Operation]: Operation[K] };
export interface Drafts extends History {
  readonly operations: Draft[];
  readonly events: MoveEvent[];
}

/** A pointer that moves one operation at a time, in a log with other events. */
class Pointer {
  readonly events: MoveEvent[] = [];
  readonly #random: () => number;
  #stack: string[] = [];
  #log = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  perform({ kind, arguments: { version, toVersion } }: Operation): Told | undefined {
    if (this.#random() < 0.3) this.#log += 1; // another channel's
    const current = this.#stack.at(-1) ?? null;
    const below = this.#stack.findLast((name) => name !== current);
    const target = kind === 'activate' ? version : (toVersion ?? below);
    if (kind === 'read') return this.#told(current);
    if (target === undefined || (toVersion !== undefined && !this.events.some((event) => event.version === toVersion)))
      return undefined; // refused
    if (target === current) return { ...this.#told(current), changed: false };
    const stackIndex = this.#stack.lastIndexOf(target);
    this.#stack =
      kind === 'rollback' && stackIndex !== -1 ? this.#stack.slice(0, stackIndex + 1) : [...this.#stack, target];
    this.#log += 1;
    this.events.push({
      revision: this.#log,
      id: `event-${this.#log}`,
      type: kind === 'activate' ? 'version-activated' : 'version-rolled-back',
      version: target,
      previousVersion: current,
    });
    return { ...this.#told(target), previousVersion: current, changed: true };
  }

  #told(version: string | null): Told {
    return { revision: this.events.at(-1)?.revision ?? 0, version, logRevision: this.#log };
  }
}

/** A history of a correct registry: each operation takes effect at one moment between its invocation and its return. */
export function simulate(random: () => number, { clients, operations, reads = 0.5 }: Size): Drafts {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const planned: { at: number; operation: Draft; happens: boolean }[] = [];
  for (let client = 0; client < clients; client += 1) {
    let now = random() * 10;
    for (let count = 0; count < operations; count += 1) {
      const invokedAt = now + random() * 3;
      const returnedAt = invokedAt + random() * 20;
      now = returnedAt;
      const kind = random() < reads ? 'read' : random() < 0.7 ? 'activate' : 'rollback';
      const wanted =
        kind === 'activate'
          ? { version: pick(VERSIONS) }
          : kind === 'rollback' && random() < 0.3
            ? { toVersion: pick(VERSIONS) }
            : {};
      const outcome = random() < 0.08 ? 'unknown' : random() < 0.04 ? 'refused' : 'ok';
      const operation: Draft = {
        client: `c${client}`,
        instance: `i${Math.floor(random() * 3)}`,
        kind,
        invokedAt,
        returnedAt: outcome === 'unknown' ? Infinity : returnedAt,
        outcome,
        arguments: wanted,
      };
      if (outcome === 'unknown' && random() < 0.5) operation.toldAt = returnedAt;
      const late = outcome === 'unknown' ? 3 : 1;
      planned.push({
        at: invokedAt + random() * late * (returnedAt - invokedAt),
        operation,
        happens: outcome === 'ok' || (outcome === 'unknown' && random() < 0.5),
      });
    }
  }

  const pointer = new Pointer(random);
  let door = -Infinity;
  for (const { operation, happens } of planned.sort((a, b) => a.at - b.at)) {
    if (!happens || (operation.toldAt ?? Infinity) < door) continue;
    const events = pointer.events.length;
    const told = pointer.perform(operation);
    if (operation.outcome === 'ok' && told === undefined) operation.outcome = 'refused';
    else if (operation.outcome === 'ok') operation.result = told;
    // Outcomes reported as unknown before this request are decided by now.
    if (operation.outcome === 'ok' && operation.kind !== 'read') door = Math.max(door, operation.invokedAt);
    if (pointer.events.length > events && (operation.toldAt !== undefined || random() < 0.5))
      operation.eventId = pointer.events.at(-1)!.id;
  }
  const list = planned.map(({ operation }) => operation).sort((a, b) => a.invokedAt - b.invokedAt);
  for (const read of list)
    if (read.kind === 'read') read.arguments = { minRevision: highestBefore(list, read.invokedAt) };
  return { operations: list, events: pointer.events };
}

/** The highest revision in any response so far. */
function highestBefore(operations: readonly Operation[], time: number): number {
  return operations.reduce(
    (highest, { outcome, returnedAt, result }) =>
      outcome === 'ok' && returnedAt < time ? Math.max(highest, result?.revision ?? 0) : highest,
    0,
  );
}

/** A result with the state of another time. */
export function told(events: readonly MoveEvent[], index: number, { changed }: Told): Told {
  const { revision, version, previousVersion } = events[index - 1] ?? {
    revision: 0,
    version: null,
    previousVersion: null,
  };
  return { revision, version, ...(changed !== undefined && { changed }), ...(changed === true && { previousVersion }) };
}
