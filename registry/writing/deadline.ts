/**
 * Deadlines of writes (SPEC R9: a write is answered in time, even if the store hangs).
 */
import { RegistryError } from '../errors.ts';

/** The longest that a write may take, its wait in the queue included, in milliseconds: the answer is out within two seconds. */
export const PATIENCE = 1600;
/** Between two attempts after an unknown outcome, in milliseconds. */
export const PAUSE = 50;

export interface Deadline {
  /** Monotonic, in milliseconds. */
  readonly at: number;
  /** Whether a call that takes longer is given up. */
  readonly cuts: boolean;
}

export function tooLate(): RegistryError {
  return new RegistryError('store-unavailable', 'The store did not answer within two seconds. Nothing was sent.');
}

/**
 * The result of a task. After the deadline it is `late`, or, without one, the store counts as unavailable. A late task still runs to its
 * end; what became of it is in the log.
 */
export async function within<T>({ at, cuts }: Deadline, task: T | Promise<T>, late?: T): Promise<T> {
  if (!cuts || !(task instanceof Promise)) return task;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<T>((resolve, reject) => {
    timer = setTimeout(
      () => {
        if (late !== undefined) resolve(late);
        else reject(tooLate());
      },
      Math.max(0, at - performance.now()),
    );
  });
  task.catch(() => undefined); // nobody waits for a failure that comes late
  try {
    return await Promise.race([task, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
