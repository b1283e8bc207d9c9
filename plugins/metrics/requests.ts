/** Counts requests and their durations by operation and status. */
import { Counter, type Registry } from 'prom-client';
import { Timings, type Timing } from './timings.ts';

/** Upper bounds in seconds: most reads take a fraction of a millisecond, a write as long as the disk, waiting for other instances up to 30 s. */
const BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** The requests of one operation. */
export class OperationRequests {
  /** By status. */
  readonly timings: (Timing | undefined)[] = [];
  /** Streams that were opened with 200. They have no end, so they are counted but not timed. */
  opened = 0;
  /** Statuses that are reported as 0 before they occur, so that the first occurrence is an increase. */
  readonly expected = new Set<number>();
  readonly #newTiming: (status: number) => Timing;

  constructor(newTiming: (status: number) => Timing) {
    this.#newTiming = newTiming;
  }

  answered(status: number, milliseconds: number): void {
    (this.timings[status] ??= this.#newTiming(status)).observe(milliseconds / 1000);
  }
}

export class Requests {
  readonly #timings: Timings<'operation' | 'status'>;
  readonly #operations = new Map<string, OperationRequests>();

  constructor(register: Registry) {
    const operations = this.#operations;
    new Counter({
      name: 'prompt_registry_requests_total',
      help: 'Responses, by operation and status.',
      labelNames: ['operation', 'status'],
      registers: [register],
      collect() {
        this.reset();
        for (const [operation, { timings, opened, expected }] of operations) {
          for (const status of expected) this.inc({ operation, status: String(status) }, 0);
          for (const [status, timing] of timings.entries())
            if (timing !== undefined) this.inc({ operation, status: String(status) }, timing.count);
          if (opened > 0) this.inc({ operation, status: '200' }, opened);
        }
      },
    });
    this.#timings = new Timings<'operation' | 'status'>({
      name: 'prompt_registry_request_duration_seconds',
      help: 'Time from the arrival of a request to the end of its response, without streams.',
      buckets: BUCKETS,
      register,
    });
  }

  /** @param operation an operationId, or one name for all requests without an operation */
  of(operation: string): OperationRequests {
    let requests = this.#operations.get(operation);
    if (requests === undefined) {
      requests = new OperationRequests((status) => this.#timings.series({ operation, status: String(status) }));
      this.#operations.set(operation, requests);
    }
    return requests;
  }
}
