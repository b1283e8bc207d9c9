/**
 * What a check asks with, and what it says of what came.
 *
 * Rule: each answer is first held to `openapi.yaml`, whoever asked for it and why; what the document says in words is compared after that.
 * An answer that is not as it should be ends the check, as what follows would only be wrong in consequence; a comparison does not.
 * Example: `const { body } = await kit.ask<Pack>('getPack', { path: { pack } }, 200); kit.same(body.pack, pack, 'it is the one asked for')`.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Problem } from './answers.ts';
import type { Connection, Request } from './connection.ts';
import type { Judge } from './document.ts';
import type { World } from './world.ts';
import { type Answer, Deviation, type Asker } from './asker.ts';

/** Hears what was found; each text begins with the operation. */
export interface Report {
  pass(text: string): void;
  /** @param details what was asked, expected and found */
  fail(text: string, details: Readonly<Record<string, unknown>>): void;
}

/** One thing that the document says of an operation. */
export interface Check {
  readonly operation: string;
  /** In words. */
  readonly says: string;
  readonly run: (kit: Kit) => Promise<void>;
}

/** The kit of one check. */
export class Kit {
  readonly world: World;
  readonly judge: Judge;
  readonly #asker: Asker;
  readonly #report: Report;
  readonly #check: Pick<Check, 'operation' | 'says'>;

  constructor(world: World, report: Report, check: Pick<Check, 'operation' | 'says'>) {
    this.world = world;
    this.#asker = world.asker;
    this.judge = world.asker.judge;
    this.#report = report;
    this.#check = check;
  }

  get connection(): Connection {
    return this.#asker.connection;
  }

  /** As `Asker.ask`; that it was as declared counts as passed. */
  async ask<T = unknown>(id: string, request: Request, ...statuses: readonly number[]): Promise<Answer<T>> {
    const answer = await this.#asker.ask<T>(id, request, ...statuses);
    this.#report.pass(this.#told(`${id} ${answer.status} is as declared`));
    return answer;
  }

  /** As `Asker.refused`; `instance`, where it is given, is the path that was asked. */
  async refused(id: string, request: Request, status: number, code: string): Promise<Problem> {
    const { body } = await this.#asker.refused(id, request, status, code);
    this.#report.pass(this.#told(`${id} ${status} ${code}`));
    return body;
  }

  same(found: unknown, expected: unknown, what: string): void {
    if (isDeepStrictEqual(found, expected)) this.#report.pass(this.#told(what));
    else this.#report.fail(this.#told(what), { expected, found });
  }

  ok(holds: boolean, what: string, found?: unknown): void {
    if (holds) this.#report.pass(this.#told(what));
    else this.#report.fail(this.#told(what), { found });
  }

  #told(what: string): string {
    return `${this.#check.operation}: ${this.#check.says}: ${what}`;
  }
}

/** Runs a check to its end; nothing that it meets gets out. */
export async function runCheck(world: World, report: Report, { run, ...check }: Check): Promise<void> {
  try {
    await run(new Kit(world, report, check));
  } catch (error) {
    const { message, stack } = error as Error;
    const details =
      error instanceof Deviation
        ? error.details
        : { found: message, ...(!(error instanceof Error && error.name === 'NoAnswer') && { stack }) };
    report.fail(`${check.operation}: ${check.says}: ${message}`, details);
  }
}

/** Several checks of one operation. */
export function checksOf(operation: string, checks: Readonly<Record<string, Check['run']>>): Check[] {
  return Object.entries(checks).map(([says, run]) => ({ operation, says, run }));
}
