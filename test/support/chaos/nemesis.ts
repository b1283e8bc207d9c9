/**
 * Harms instances and their store during a run: one fault after another, each for a moment, then none.
 *
 * Rule: a seed decides which fault, on which instance, and for how long. At most two instances lose the store at once, so one still answers,
 * except while PostgreSQL itself is killed. When `harm` resolves, all faults are over.
 * Example: `const nemesis = new Nemesis({ instances, postgres, random, kills: 2 }); await nemesis.harm(() => !done)`.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Mode } from './fault-proxy.ts';
import type { TestInstance } from '../apps/instances.ts';
import type { TestPostgres } from '../stores/postgres.ts';

export interface NemesisOptions {
  readonly instances: readonly TestInstance[];
  readonly postgres: TestPostgres;
  readonly random: () => number;
  /** How often PostgreSQL is killed at most; the first time early in the run. */
  readonly kills: number;
}

/** What is done to an instance. */
type Fault = Mode | 'stopped';

/** How long a fault and the pause after it last, in milliseconds. */
const LASTS = [40, 500] as const;
const PAUSE = [20, 120] as const;
/** The share of PostgreSQL kills among the faults, while some are left. */
const KILLS = 0.08;

export class Nemesis {
  /** How often each fault was done. */
  readonly done = new Map<string, number>();
  readonly #options: NemesisOptions;
  #kills: number;

  constructor(options: NemesisOptions) {
    this.#options = options;
    this.#kills = options.kills;
  }

  /** How many faults there were. */
  get total(): number {
    return [...this.done.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Harms until `goOn` says no; then heals. */
  async harm(goOn: () => boolean): Promise<void> {
    const { instances, random } = this.#options;
    while (goOn()) {
      if (this.#kills > 0 && (random() < KILLS || this.total === 5)) await this.#killStore();
      else {
        const first = Math.floor(random() * instances.length);
        const second = random() < 0.3 ? (first + 1) % instances.length : first;
        await Promise.all([...new Set([first, second])].map((index) => this.#harmOne(instances[index]!)));
      }
      await pause(this.#between(PAUSE));
    }
  }

  async #harmOne({ proxy, server }: TestInstance): Promise<void> {
    const fault = this.#fault();
    this.#count(typeof fault === 'string' ? fault : fault.kind);
    const lasts = this.#between(LASTS);
    if (fault === 'stopped') {
      server.signal('SIGSTOP');
      await pause(lasts);
      server.signal('SIGCONT');
      return;
    }
    proxy.set(fault);
    await pause(lasts);
    proxy.set('pass');
  }

  async #killStore(): Promise<void> {
    this.#count('PostgreSQL killed');
    this.#kills -= 1;
    const { postgres } = this.#options;
    await postgres.kill();
    await pause(this.#between(LASTS));
    await postgres.restart();
  }

  #fault(): Fault {
    const { random } = this.#options;
    const faults: readonly Fault[] = [
      ...([
        'refuse',
        'black-hole',
        'drop-up',
        'drop-down',
        'hold',
        'hold-up',
        'hold-down',
        'deaf',
        'reset',
        'stopped',
      ] as const),
      {
        kind: 'latency',
        ms: 2 + Math.floor(random() * 30),
        jitter: Math.floor(random() * 60),
        seed: Math.floor(random() * 2 ** 31),
      },
      { kind: 'slice', bytes: 1 + Math.floor(random() * 64) },
      ...[1, 2, 3].map(() => ({ kind: 'lose-commit' as const })), // what matters most, and strikes once a time
    ];
    return faults[Math.floor(random() * faults.length)]!;
  }

  #count(name: string): void {
    this.done.set(name, (this.done.get(name) ?? 0) + 1);
  }

  #between([least, most]: readonly [number, number]): number {
    return least + this.#options.random() * (most - least);
  }
}
