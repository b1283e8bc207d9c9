/**
 * Writes results down as TAP 14, one subtest a group.
 *
 * Problem: a test framework would bring 150 MB into every installation of the kit, and would want a say in what runs.
 * Rule: a line is written as soon as its result is known, so that a run which is cut short shows what it found. Details are YAML.
 * Source: https://testanything.org/tap-version-14-specification.html
 * Example: `const tap = new TapWriter((text) => results.write(text)); const group = tap.group('listPacks'); group.pass('it is there'); group.end(); tap.end()`.
 */
import { stringify } from 'yaml';

export class TapWriter {
  readonly #write: (text: string) => void;
  readonly #indent: string;
  readonly #ended: (ok: boolean) => void;
  #count = 0;
  #ok = true;

  /** @param write takes whole lines */
  constructor(write: (text: string) => void, indent = '', ended: (ok: boolean) => void = () => undefined) {
    this.#write = write;
    this.#indent = indent;
    this.#ended = ended;
    if (indent === '') this.#line('TAP version 14');
  }

  pass(text: string): void {
    this.#result(true, text);
  }

  /** @param details anything that YAML can hold */
  fail(text: string, details: Readonly<Record<string, unknown>> = {}): void {
    this.#result(false, text);
    if (Object.keys(details).length === 0) return;
    const yaml = stringify(details, { aliasDuplicateObjects: false }).trimEnd().split('\n');
    for (const line of ['---', ...yaml, '...']) this.#line(`  ${line}`);
  }

  /** Begins a subtest; nothing else may be written until it has ended. */
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
