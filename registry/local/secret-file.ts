/**
 * Reads a small file that holds a secret, such as one that a container or systemd mounts.
 *
 * Problem: a wrong path must not hang the start (a pipe), fill the memory (a disk image) or show what is in the file.
 * Rule: only a regular file of a limited size is read. The message of a refusal says what is wrong and never quotes the content.
 * Example: `readSecretFile('/run/secrets/store-url', 4096).bytes`.
 */
import { readFileSync, statSync } from 'node:fs';
import { messageOf } from '../errors.ts';

export interface SecretFile {
  readonly bytes: Buffer;
  /** Permission bits. */
  readonly mode: number;
  /** Whether it belongs to the user of this process. */
  readonly own: boolean;
}

/**
 * Reads a file.
 *
 * @param most the largest size, in bytes
 * @throws Error whose message continues a sentence that begins with the name of the file, without a full stop
 */
export function readSecretFile(path: string, most: number): SecretFile {
  const found = readable(() => statSync(path));
  if (!found.isFile()) throw new Error('is not a file');
  if (found.size > most) throw new Error(`is ${found.size} bytes long; it may have at most ${most}`);
  return {
    bytes: readable(() => readFileSync(path)),
    mode: found.mode & 0o777,
    own: found.uid === process.geteuid?.(),
  };
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new Error(`cannot be read: ${messageOf(cause)}`, { cause });
  }
}
