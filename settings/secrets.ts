/**
 * Secrets that are read from files.
 *
 * Problem: everybody who can inspect a process or a container can read its environment. Docker, Kubernetes and systemd mount secrets as files.
 * Rule: `<name>_FILE` names a file with the value of `<name>`. Only one of the two may be set. One line end after the value is not part of it.
 * Example: `STORE_URL_FILE=/run/secrets/store-url`.
 */
import { isUtf8 } from 'node:buffer';
import { messageOf, readSecretFile } from '../registry/index.ts';
import { escaped, SECRETS, textFault } from './texts.ts';

/** The largest file, in bytes. */
const LONGEST = 16 * 1024;

export interface Secrets {
  /** The file and its value, by setting. */
  readonly read: ReadonlyMap<string, { readonly file: string; readonly value: string }>;
  /** What is wrong, in a sentence, by setting. */
  readonly faults: ReadonlyMap<string, string>;
}

/** Reads the files that an environment names. */
export function readSecrets(env: Readonly<Record<string, string | undefined>>): Secrets {
  const read = new Map<string, { file: string; value: string }>();
  const faults = new Map<string, string>();
  for (const name of SECRETS) {
    const setting = `${name}_FILE`;
    const file = env[setting] ?? '';
    if (file === '') continue;
    try {
      if ((env[name] ?? '') !== '') throw new Error(`and ${name} are both set: set only one of the two`);
      read.set(name, { file, value: valueIn(file, setting) });
    } catch (error) {
      faults.set(setting, `${setting}="${escaped(file)}" ${messageOf(error)}.`);
    }
  }
  return { read, faults };
}

/** @throws Error whose message continues a sentence that begins with the setting */
function valueIn(file: string, setting: string): string {
  const garbled = textFault(setting, file);
  if (garbled !== undefined) throw new Error(`is wrong: it must be ${garbled}`);
  const { bytes } = readSecretFile(file, LONGEST);
  if (!isUtf8(bytes)) throw new Error('does not contain UTF-8 text');
  const value = bytes.toString().replace(/\r?\n$/u, '');
  if (value === '') throw new Error('is empty');
  return value;
}
