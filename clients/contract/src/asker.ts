/** Sends the requests of the checks, and throws a `Deviation` if a response does not match the document. */
import type { Problem } from './answers.ts';
import { pathOf, type Connection, type Request } from './connection.ts';
import type { Judge, Operation } from './document.ts';
import { excerpt, jsonOf, type RawAnswer } from './raw-answer.ts';

/** A response that matches the document. */
export interface Answer<T> {
  /** Method and path of its request. */
  readonly request: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: T;
  readonly etag: string;
  readonly revision: number;
}

/** A response that is wrong: the check cannot go on. */
export class Deviation extends Error {
  override readonly name = 'Deviation';
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.details = details;
  }
}

/** Sends requests, and checks each response against the document. */
export class Asker {
  readonly connection: Connection;
  readonly judge: Judge;
  readonly #underWay = new Set<Promise<unknown>>();
  #over = false;
  /** Called with each response before it is checked. */
  readonly #onAnswer: (id: string, answer: RawAnswer) => void;

  constructor(judge: Judge, connection: Connection, onAnswer: (id: string, answer: RawAnswer) => void) {
    this.judge = judge;
    this.connection = connection;
    this.#onAnswer = onAnswer;
  }

  /**
   * Sends a request. The response must match the document and have one of these statuses.
   * @throws Deviation if it does not @throws NoAnswer if there is none
   */
  async ask<T = unknown>(id: string, request: Request, ...statuses: readonly number[]): Promise<Answer<T>> {
    const operation = this.judge.operation(id);
    const { seen } = this.connection;
    if (this.#over) throw new Deviation(`${id}: not sent, as the run has ended`);
    const raw = await this.#sent(this.connection.send(id, request));
    this.#onAnswer(id, raw);
    const { status, headers, text } = raw;
    const sent = `${request.method ?? operation.method} ${pathOf(operation, request)}`;
    const asked = { request: sent, status, body: excerpt(text) };
    if (this.#isMissing(operation, raw))
      throw new Deviation(`${id}: the server does not have this operation: ${sent} answered 404 not-found`, asked);
    const lacking =
      status === 403 && !statuses.includes(403) && request.key === undefined
        ? (jsonOf(text) as Problem | undefined)?.requiredScopes
        : undefined;
    if (lacking !== undefined)
      throw new Deviation(
        `${id}: the key lacks the scope ${lacking.join(', ')}, so this was not checked; use a key that has it`,
        asked,
      );
    const faults = [...this.judge.faultsOf(id, raw), ...staleness(operation, raw, seen)];
    if (faults.length > 0)
      throw new Deviation(`${id} ${status}: the response does not match the document: ${faults.join('; ')}`, {
        ...asked,
        faults,
      });
    if (!statuses.includes(status))
      throw new Deviation(`${id}: ${sent} answered ${status} instead of ${statuses.join(' or ')}: ${excerpt(text)}`, {
        ...asked,
        expected: statuses,
      });
    const revision = Number(headers.get('registry-revision'));
    if (operation.guarded && status < 400) this.connection.saw(revision);
    return {
      request: sent,
      status,
      headers,
      text,
      revision,
      etag: headers.get('etag') ?? '',
      body: (text === '' ? undefined : (jsonOf(text) ?? text)) as T,
    };
  }

  async #sent<T>(answer: Promise<T>): Promise<T> {
    this.#underWay.add(answer);
    try {
      return await answer;
    } finally {
      this.#underWay.delete(answer);
    }
  }

  /** Whether the server knows no such path: its build is older than the document. */
  #isMissing({ responses }: Operation, { status, text }: RawAnswer): boolean {
    if (status !== 404 || responses['404']?.description.includes('`not-found`') === true) return false;
    return (jsonOf(text) as Problem | undefined)?.code === 'not-found';
  }

  /** Whether the run has ended: nothing more is sent. */
  get over(): boolean {
    return this.#over;
  }

  /** Sends nothing more; resolves once every request is answered. */
  async stop(): Promise<void> {
    this.#over = true;
    this.connection.stopRetries();
    await Promise.allSettled(this.#underWay);
  }

  /** Sends a request that must be refused with this status and code. @throws Deviation if it is not */
  async refused(id: string, request: Request, status: number, code: string): Promise<Answer<Problem>> {
    const answer = await this.ask<Problem>(id, request, status);
    if (answer.body.code === code) return answer;
    throw new Deviation(
      `${id}: ${answer.request} answered ${status} with the code ${answer.body.code} instead of ${code}`,
      { body: answer.body },
    );
  }
}

/** Revisions only grow: a response is never older than the `Registry-Min-Revision` of its request. */
function staleness({ guarded }: Operation, { status, headers }: RawAnswer, seen: number): string[] {
  const revision = Number(headers.get('registry-revision'));
  return guarded && status < 400 && revision < seen
    ? [`header Registry-Revision: ${revision} is lower than the Registry-Min-Revision of the request, ${seen}`]
    : [];
}
