/**
 * What a check uses to send requests and to report results.
 *
 * Rule: each response is first validated against `openapi.yaml`. The check then compares what the document says in words. A response that
 * does not match the document ends the check, because later results would only follow from that; a failed comparison does not end it.
 * Example: `const { body } = await kit.ask<Pack>('getPack', { path: { pack } }, 200); kit.same(body.pack, pack, 'pack is the requested one')`.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Problem } from './answers.ts';
import type { Connection, Request } from './connection.ts';
import type { Judge } from './document.ts';
import type { World } from './world.ts';
import { type Answer, Deviation, type Asker } from './asker.ts';

/** Receives the results; each text begins with the operation. */
export interface Report {
  pass(text: string): void;
  /** @param details the request, what was expected and what was found */
  fail(text: string, details: Readonly<Record<string, unknown>>): void;
}

/** One thing that the document says about an operation. */
export interface Check {
  readonly operation: string;
  /** A sentence, as shown in results. */
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
  #lastRequest = 'none';

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

  /** Like `Asker.ask`, and reports the response as passed. */
  async ask<T = unknown>(id: string, request: Request, ...statuses: readonly number[]): Promise<Answer<T>> {
    return this.answered(id, this.#asker.ask<T>(id, request, ...statuses));
  }

  /** The same for a request that was sent before. */
  async answered<T>(id: string, asked: Promise<Answer<T>>): Promise<Answer<T>> {
    const answer = await asked;
    this.#lastRequest = answer.request;
    this.#report.pass(this.#text(`${id} ${answer.status} matches the document`));
    return answer;
  }

  /** Like `Asker.refused`, and reports the response as passed. */
  async refused(id: string, request: Request, status: number, code: string): Promise<Problem> {
    const { body, request: sent } = await this.#asker.refused(id, request, status, code);
    this.#lastRequest = sent;
    this.#report.pass(this.#text(`${id} ${status} ${code}`));
    return body;
  }

  same(found: unknown, expected: unknown, what: string): void {
    if (isDeepStrictEqual(found, expected)) this.#report.pass(this.#text(what));
    else this.#report.fail(this.#text(what), { lastRequest: this.#lastRequest, expected, found });
  }

  ok(holds: boolean, what: string, found?: unknown): void {
    if (holds) this.#report.pass(this.#text(what));
    else this.#report.fail(this.#text(what), { lastRequest: this.#lastRequest, found });
  }

  #text(what: string): string {
    return `${this.#check.operation}: ${this.#check.says}: ${what}`;
  }
}

/** Runs a check, and reports what it throws. */
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
