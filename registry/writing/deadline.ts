/**
 * Until when a write is tried (SPEC R9: a write is answered in time, also where the store hangs).
 */
import { RegistryError } from '../errors.ts';

/** Between two tries after an unknown outcome, in milliseconds. */
export const PAUSE = 50;

/** Until when a write is tried, and whether one call that takes longer is given up on. */
export interface Deadline {
  /** Monotonic, in milliseconds. */
  readonly at: number;
  readonly cuts: boolean;
}

export function tooLate(): RegistryError {
  return new RegistryError('store-unavailable', 'The store did not answer within two seconds; nothing was sent.');
}

/**
 * What a task gives, or, where it takes until after the deadline, `late`; without that the store counts as away. A task that is late goes
 * on; what becomes of it is for the log to tell.
 */
export async function within<T>({ at, cuts }: Deadline, task: T | Promise<T>, late?: T): Promise<T> {
  if (!cuts || !(task instanceof Promise)) return task;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<T>((resolve, reject) => {
    timer = setTimeout(
      () => {
        if (late !== undefined) resolve(late);
        else reject(tooLate());
      },
      Math.max(0, at - performance.now()),
    );
  });
  task.catch(() => undefined); // a failure that comes late has nobody who waits for it any more
  try {
    return await Promise.race([task, limit]);
  } finally {
    clearTimeout(timer);
  }
}
