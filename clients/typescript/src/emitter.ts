/** Calls listeners by event. A listener that throws is reported as an `error` event and does not affect the others. */
import { RegistryFailure } from './failure.ts';

export class Emitter<Events extends { error: RegistryFailure }> {
  readonly #listeners = new Map<keyof Events, Set<(payload: never) => unknown>>();

  /** @returns a function that removes the listener */
  on<E extends keyof Events>(event: E, listener: (payload: Events[E]) => unknown): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  emit<E extends keyof Events>(event: E, payload: Events[E]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        const result = (listener as (payload: Events[E]) => unknown)(payload);
        if (result instanceof Promise) result.catch((error: unknown) => this.#failed(event, error));
      } catch (error) {
        this.#failed(event, error);
      }
    }
  }

  #failed(event: keyof Events, cause: unknown): void {
    const failure = new RegistryFailure('listener-failed', `A listener of "${String(event)}" threw.`, { cause });
    // An error listener that throws would receive its own error endlessly.
    if (event === 'error') console.error(failure);
    else this.emit('error', failure);
  }
}
