/** What a check asks a service with, and how it says that an answer deviates. */
import type { Problem } from './answers.ts';
import { pathOf, type Connection, type Request } from './connection.ts';
import type { Judge, Operation } from './document.ts';
import { excerpt, jsonOf, type RawAnswer } from './raw-answer.ts';

/** An answer that is as declared. */
export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: T;
  readonly etag: string;
  readonly revision: number;
}

/** An answer that is not as it should be: the check cannot go on. */
export class Deviation extends Error {
  override readonly name = 'Deviation';
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.details = details;
  }
}

/** Asks, and holds each answer to the document. */
export class Asker {
  readonly connection: Connection;
  readonly judge: Judge;
  #last: Promise<unknown> = Promise.resolve();
  #over = false;
  /** Hears of each answer before it is judged. */
  readonly #heard: (id: string, answer: RawAnswer) => void;

  constructor(judge: Judge, connection: Connection, heard: (id: string, answer: RawAnswer) => void) {
    this.judge = judge;
    this.connection = connection;
    this.#heard = heard;
  }

  /**
   * Sends a request whose answer must be as declared, with one of these statuses.
   * @throws Deviation where it is not
   */
  async ask<T = unknown>(id: string, request: Request, ...statuses: readonly number[]): Promise<Answer<T>> {
    const operation = this.judge.operation(id);
    const { seen } = this.connection;
    if (this.#over) throw new Deviation(`${id}: not asked, as the suite is over`);
    const asking = this.connection.send(id, request);
    this.#last = asking.catch(() => undefined);
    const raw = await asking;
    this.#heard(id, raw);
    const { status, headers, text } = raw;
    const asked = {
      request: `${request.method ?? operation.method} ${pathOf(operation, request)}`,
      status,
      body: excerpt(text),
    };
    const lacking =
      status === 403 && !statuses.includes(403) && request.key === undefined
        ? (jsonOf(text) as Problem | undefined)?.requiredScopes
        : undefined;
    if (lacking !== undefined)
      throw new Deviation(
        `${id}: the key that was given lacks the scope ${lacking.join(', ')}, so this was not checked; give a key that has it`,
        asked,
      );
    const faults = [...this.judge.faultsOf(id, raw), ...agedBy(operation, raw, seen)];
    if (faults.length > 0)
      throw new Deviation(`${id} ${status}: the answer is not as declared: ${faults.join('; ')}`, { ...asked, faults });
    if (!statuses.includes(status))
      throw new Deviation(`${id}: ${status} instead of ${statuses.join(' or ')}: ${excerpt(text)}`, {
        ...asked,
        expected: statuses,
      });
    const revision = Number(headers.get('registry-revision'));
    if (operation.guarded && status < 400) this.connection.saw(revision);
    return {
      status,
      headers,
      text,
      revision,
      etag: headers.get('etag') ?? '',
      body: (text === '' ? undefined : (jsonOf(text) ?? text)) as T,
    };
  }

  /** Whether it asks no more. */
  get over(): boolean {
    return this.#over;
  }

  /** Asks no more; resolves once what was asked last is answered. */
  async stop(): Promise<void> {
    this.#over = true;
    this.connection.hurry();
    await this.#last;
  }

  /** Sends a request that must be refused with this status and code. @throws Deviation where it is not */
  async refused(id: string, request: Request, status: number, code: string): Promise<Answer<Problem>> {
    const answer = await this.ask<Problem>(id, request, status);
    if (answer.body.code === code) return answer;
    throw new Deviation(`${id} ${status}: the code is ${answer.body.code} instead of ${code}`, { body: answer.body });
  }
}

/** Revisions only grow: an answer is never from before the revision that its request named. */
function agedBy({ guarded }: Operation, { status, headers }: RawAnswer, seen: number): string[] {
  const revision = Number(headers.get('registry-revision'));
  return guarded && status < 400 && revision < seen
    ? [`header Registry-Revision: ${revision} although the request said Registry-Min-Revision: ${seen}`]
    : [];
}
