/**
 * Measures the calls of the store: their duration, their failures, and the last known head of the log.
 *
 * Rule: this wraps the port, so neither the stores nor the domain know about it. A conflict, or a call that finds nothing, is not an error:
 * another instance was faster.
 */
import { Counter, type Registry } from 'prom-client';
import { RegistryError, type Store } from '../../registry/index.ts';
import { observed, type StoreOperation } from '../observed-store.ts';
import { Timings, type Timing } from './timings.ts';

/** Upper bounds in seconds: from a read in memory to the timeout of a connection. */
const BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/**
 * - `unavailable`: the store is unreachable
 * - `unknown`: the connection broke during a commit
 * - `broken`: anything else, e.g. an event that cannot be parsed
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
      help: 'Duration of calls of the store, by call.',
      buckets: BUCKETS,
      register,
    });
    this.#failures = new Counter({
      name: 'prompt_registry_store_errors_total',
      help: 'Failed calls of the store, by call and kind of failure.',
      labelNames: ['operation', 'failure'],
      registers: [register],
    });
    for (const operation of OPERATIONS) {
      this.#timings.set(operation, timings.series({ operation }));
      for (const failure of FAILURES) this.#failures.inc({ operation, failure }, 0); // reported from the start, so that the first failure is an increase
    }
  }

  /** The last known head of the log, as a revision; undefined before the first answer of the store and while it is unreachable. */
  get knownHead(): number | undefined {
    return this.#knownHead;
  }

  /** The same store, with its calls measured. */
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
      const result = await call();
      if (result === 'unknown') this.#failures.inc({ operation, failure: 'unknown' });
      return result;
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
