/**
 * Calls of the store: how long they took, how many failed, and how far the log was when it was last asked.
 *
 * Rule: measured at the port, so that no store and nothing in the domain knows of it. A call that found nothing, or a conflict, is no
 * error: another instance has won.
 */
import { Counter, type Registry } from 'prom-client';
import { RegistryError, type Store } from '../../registry/index.ts';
import { observed, type StoreOperation } from '../observed-store.ts';
import { Timings, type Timing } from './timings.ts';

/** Upper bounds in seconds: from what is in memory to where a connection is given up. */
const BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/**
 * - `unavailable`: the store could not be reached
 * - `unknown`: the connection went away around a commit
 * - `broken`: anything else, e.g. an event that cannot be read
 */
type Failure = 'unavailable' | 'unknown' | 'broken';

const OPERATIONS: readonly StoreOperation[] = [
  'head',
  'append',
  'fence',
  'raiseFence',
  'events',
  'repeated',
  'content',
  'sessionKeys',
  'renew',
  'release',
];
const FAILURES: readonly Failure[] = ['unavailable', 'unknown', 'broken'];

export class StoreCalls {
  readonly #timings = new Map<StoreOperation, Timing>();
  readonly #failures: Counter<'operation' | 'failure'>;
  #knownHead: number | undefined;

  constructor(register: Registry) {
    const timings = new Timings<'operation'>({
      name: 'prompt_registry_store_duration_seconds',
      help: 'How long the store took, by call.',
      buckets: BUCKETS,
      register,
    });
    this.#failures = new Counter({
      name: 'prompt_registry_store_errors_total',
      help: 'Calls of the store that failed, by call and kind of failure.',
      labelNames: ['operation', 'failure'],
      registers: [register],
    });
    for (const operation of OPERATIONS) {
      this.#timings.set(operation, timings.series({ operation }));
      for (const failure of FAILURES) this.#failures.inc({ operation, failure }, 0); // there from the start, so that a first failure is a rise
    }
  }

  /** The revision at the head of the log, as the store last told it; undefined where it has not, or could not when it was last asked. */
  get knownHead(): number | undefined {
    return this.#knownHead;
  }

  /** The store, its calls counted. */
  of(store: Store): Store {
    const counted = observed(store, (operation, call) => this.#count(operation, call));
    const renew: Store['renew'] = async (claim) => {
      try {
        const renewal = await counted.renew(claim);
        this.#knownHead = renewal.head?.revision ?? 0;
        return renewal;
      } catch (error) {
        this.#knownHead = undefined;
        throw error;
      }
    };
    return { ...counted, renew };
  }

  async #count<T>(operation: StoreOperation, call: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      const answer = await call();
      if (answer === 'unknown') this.#failures.inc({ operation, failure: 'unknown' });
      return answer;
    } catch (error) {
      this.#failures.inc({
        operation,
        failure: error instanceof RegistryError && error.code === 'store-unavailable' ? 'unavailable' : 'broken',
      });
      throw error;
    } finally {
      this.#timings.get(operation)?.observe((performance.now() - began) / 1000);
    }
  }
}
