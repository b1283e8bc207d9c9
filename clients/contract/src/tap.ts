/**
 * Writes results as TAP 14, one subtest per group.
 *
 * Problem: a test framework would add 150 MB to every installation of the kit, and its settings would affect what runs.
 * Rule: a line is written as soon as its result is known, so an interrupted run shows what it found. Details are YAML.
 * Source: https://testanything.org/tap-version-14-specification.html
 * Example: `const tap = new TapWriter((text) => results.write(text)); const group = tap.group('listPacks'); group.pass('it exists'); group.end(); tap.end()`.
 */
import { stringify } from 'yaml';

export class TapWriter {
  readonly #write: (text: string) => void;
  readonly #indent: string;
  readonly #ended: (ok: boolean) => void;
  #count = 0;
  #ok = true;

  /** @param write is called with whole lines */
  constructor(write: (text: string) => void, indent = '', ended: (ok: boolean) => void = () => undefined) {
    this.#write = write;
    this.#indent = indent;
    this.#ended = ended;
    if (indent === '') this.#line('TAP version 14');
  }

  pass(text: string): void {
    this.#result(true, text);
  }

  /** @param details any value that YAML can represent */
  fail(text: string, details: Readonly<Record<string, unknown>> = {}): void {
    this.#result(false, text);
    if (Object.keys(details).length === 0) return;
    const yaml = stringify(details, { aliasDuplicateObjects: false }).trimEnd().split('\n');
    for (const line of ['---', ...yaml, '...']) this.#line(`  ${line}`);
  }

  /** Begins a subtest; write nothing else before its `end`. */
  group(name: string): TapWriter {
    this.#line(`# Subtest: ${oneLine(name)}`);
    return new TapWriter(this.#write, `${this.#indent}    `, (ok) => this.#result(ok, name));
  }

  /** Writes the plan. */
  end(): void {
    this.#line(`1..${this.#count}`);
    this.#ended(this.#ok);
  }

  #result(ok: boolean, text: string): void {
    this.#count += 1;
    this.#ok &&= ok;
    this.#line(`${ok ? 'ok' : 'not ok'} ${this.#count} - ${oneLine(text).replaceAll(/[\\#]/gu, '\\$&')}`);
  }

  #line(text: string): void {
    this.#write(`${this.#indent}${text}\n`);
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/gu, ' ');
}
