/** Garbage collections at a moment of the test's choosing. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects what nothing refers to, and lets what waits for it be called. */
export const collectGarbage = runInNewContext('gc') as () => void;
