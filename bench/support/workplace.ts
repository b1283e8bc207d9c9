/**
 * The temporary folder of a run, with data that is made once for all benchmarks that need it. It is removed when the run ends, even by
 * an interrupt.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder } from '../../registry/index.ts';
import { openSqliteStore } from '../../registry/stores/sqlite/index.ts';
import type { Plan } from '../plan.ts';
import { fill, type Size } from './fill.ts';
import { startRollout } from './rollout.ts';

/** The packs that are shipped. */
export const PACKS_DIR = fileURLToPath(new URL('../../packs', import.meta.url));

export class Workplace {
  readonly dir = mkdtempSync(join(tmpdir(), 'prompt-registry-bench-'));
  readonly #filled = new Map<string, Promise<string>>();
  readonly #plan: Plan;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** A packs folder with nothing in it. */
  get noPacks(): string {
    return this.folder('no-packs');
  }

  /** A data folder with one pack of three versions. */
  small(): Promise<string> {
    return this.#once('small', { packs: 1, versionsPerPack: 3 });
  }

  /** A data folder with two packs, one of them with a rollout. */
  underRollout(): Promise<string> {
    return this.#once('under-rollout', { packs: 2, versionsPerPack: 3 }, startRollout);
  }

  /** A data folder with one pack for each of so many writers. */
  forWriters(writers: number): Promise<string> {
    return this.#once('writers', { packs: writers, versionsPerPack: 2 });
  }

  /** A data folder with many versions in many packs. */
  large(): Promise<string> {
    const { packs, versionsPerPack } = this.#plan;
    return this.#once('large', { packs, versionsPerPack });
  }

  /** A data folder with as many versions in one pack. */
  onePack(): Promise<string> {
    const { packs, versionsPerPack } = this.#plan;
    return this.#once('one-pack', { packs: 1, versionsPerPack: packs * versionsPerPack });
  }

  /** A data folder with a long log. */
  long(): Promise<string> {
    return this.#once('long', { packs: this.#plan.packs, versionsPerPack: 10, events: this.#plan.events });
  }

  /** A folder of that name; made if it is not there. */
  folder(name: string): string {
    const dir = join(this.dir, name);
    makeFolder(dir);
    return dir;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  #once(name: string, size: Size, prepare?: (dir: string) => Promise<void>): Promise<string> {
    let made = this.#filled.get(name);
    if (made === undefined) {
      const dir = this.folder(name);
      process.stderr.write(
        `making a registry of ${size.packs} packs with ${size.versionsPerPack} versions each${size.events === undefined ? '' : ` and a log of ${size.events.toLocaleString('en')} events`}\n`,
      );
      made = openSqliteStore({ file: join(dir, 'registry.db') })
        .then((store) => fill(store, size, PACKS_DIR))
        .then(() => prepare?.(dir))
        .then(() => dir);
      this.#filled.set(name, made);
    }
    return made;
  }
}
