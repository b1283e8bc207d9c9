/**
 * Listens to one connection between a client and PostgreSQL: whose answer is on its way, and where each message ends.
 *
 * Problem: a prepared statement's text goes over the wire once, in Parse; later only its name does. And one answer is many messages.
 * Rule: the client's names are remembered; what it had executed up to a Sync (or in one Query) is answered up to one ReadyForQuery.
 * Bytes that are not of the protocol, or are encrypted, go through as they come.
 * Example: `said(parse)`, `said(bind, execute, sync)`; then `heard(chunk)` gives whole messages, each with the texts that were executed.
 *
 * Source: PostgreSQL, "Frontend/Backend Protocol", version 3: https://www.postgresql.org/docs/current/protocol-message-formats.html
 */

/** One message of the server, whole; or bytes that are not of the protocol. */
export interface Answer {
  readonly bytes: Buffer;
  /** As the protocol names it, e.g. `D` for a row; empty if the protocol does not define it. */
  readonly type: string;
  /** The texts of the statements that were executed in the exchange that it belongs to. */
  readonly statements: readonly string[];
}

/** `opaque`: not the protocol, or encrypted. `encryption`: the client has asked for it, and one byte is to come. */
type Phase = 'startup' | 'encryption' | 'messages' | 'opaque';

const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
/** Longest startup packet that PostgreSQL takes. */
const STARTUP_LIMIT = 10_000;
const EMPTY = Buffer.alloc(0);

export class Conversation {
  #phase: Phase = 'startup';
  #said: Buffer = EMPTY;
  #heard: Buffer = EMPTY;
  /** Texts by the names of prepared statements, and by the names of portals. */
  readonly #prepared = new Map<string, string>();
  readonly #portals = new Map<string, string>();
  /** One list for each ReadyForQuery that is to come; the last one is still being said. The first is for the startup. */
  readonly #exchanges: string[][] = [[], []];

  /** Takes in what the client sends. */
  said(chunk: Buffer): void {
    if (this.#phase === 'opaque') return;
    this.#said = Buffer.concat([this.#said, chunk]);
    while (this.#phase === 'startup' && this.#said.length >= 4) {
      const length = this.#said.readInt32BE(0);
      if (length < 8 || length > STARTUP_LIMIT) this.#phase = 'opaque';
      else if (this.#said.length < length) return;
      else this.#started(this.#said.readInt32BE(4), length);
    }
    if (this.#phase !== 'messages') return;
    for (;;) {
      const message = wholeMessage(this.#said);
      if (message === undefined) return;
      this.#said = this.#said.subarray(message.length);
      this.#command(String.fromCharCode(message[0] ?? 0), message.subarray(5));
    }
  }

  /** Takes in what the server sends. @returns the messages that are whole by now */
  heard(chunk: Buffer): Answer[] {
    if (this.#phase === 'encryption') {
      this.#phase = chunk.toString('latin1') === 'N' ? 'startup' : 'opaque';
      return [{ bytes: chunk, type: '', statements: [] }];
    }
    if (this.#phase !== 'messages') return [{ bytes: chunk, type: '', statements: [] }];
    this.#heard = Buffer.concat([this.#heard, chunk]);
    const answers: Answer[] = [];
    for (;;) {
      const bytes = wholeMessage(this.#heard);
      if (bytes === undefined) return answers;
      this.#heard = this.#heard.subarray(bytes.length);
      const type = String.fromCharCode(bytes[0] ?? 0);
      answers.push({ bytes, type, statements: this.#exchanges[0] ?? [] });
      if (type === 'Z') this.#exchanges.shift();
    }
  }

  #started(code: number, length: number): void {
    this.#said = this.#said.subarray(length);
    this.#phase = code === SSL_REQUEST || code === GSS_REQUEST ? 'encryption' : 'messages';
  }

  #command(type: string, body: Buffer): void {
    const [first = '', second = ''] = body.toString('utf8').split('\0', 2);
    const exchange = this.#exchanges.at(-1) ?? [];
    if (type === 'P') this.#prepared.set(first, second);
    else if (type === 'B') this.#portals.set(first, this.#prepared.get(second) ?? '');
    else if (type === 'E') exchange.push(this.#portals.get(first) ?? '');
    else if (type === 'Q') exchange.push(first);
    else if (type === 'C') (first.startsWith('S') ? this.#prepared : this.#portals).delete(first.slice(1));
    if (type === 'S' || type === 'Q' || type === 'F') this.#exchanges.push([]);
  }
}

/** Loses the first answer that acknowledges a commit in which a certain statement was executed; lets every other one through. */
export class CommitLoser {
  readonly #marker: string | RegExp;
  #held: Answer[] = [];
  #marked = false;
  #undone = false;

  /** @param marker is found in the text of the statement */
  constructor(marker: string | RegExp) {
    this.#marker = marker;
  }

  /** @returns what may go on to the client now; `lost` where the server has committed, and this answer would have said so */
  take(answer: Answer): readonly Answer[] | 'lost' {
    this.#marked ||= answer.statements.some((text) => text.search(this.#marker) !== -1);
    if (!this.#marked) return [answer];
    this.#held.push(answer);
    this.#undone ||=
      answer.type === 'E' || (answer.type === 'C' && answer.bytes.toString('latin1', 5) === 'ROLLBACK\0');
    // Only with ReadyForQuery is it sure: the commit comes at Sync, after the statement's own CommandComplete.
    if (answer.type !== 'Z') return [];
    if (answer.bytes.toString('latin1', 5) !== 'I') return this.release(); // inside a transaction: the COMMIT is yet to come
    if (!this.#undone) return 'lost';
    this.#marked = this.#undone = false;
    return this.release();
  }

  /** What was held back, for when nothing is to be lost any more. */
  release(): readonly Answer[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }
}

/** A type byte, a length that counts itself, and the rest; undefined where something of it is yet to come. */
function wholeMessage(bytes: Buffer): Buffer | undefined {
  if (bytes.length < 5) return undefined;
  const end = 1 + bytes.readInt32BE(1);
  return bytes.length < end ? undefined : bytes.subarray(0, end);
}
