/** Versions that a source keeps for sessions, and those that must never be served again. */
import type { CheckedPack } from './pack.ts';

/** Versions kept for sessions; the oldest are dropped first. */
const MAX_PINNED = 8;
const MAX_REVOKED = 1000;

export class HeldVersions {
  readonly #pinned = new Map<string, CheckedPack>();
  readonly #revoked = new Set<string>();

  get pinned(): readonly CheckedPack[] {
    return [...this.#pinned.values()];
  }

  get revoked(): readonly string[] {
    return [...this.#revoked];
  }

  /** A version that is kept for sessions. */
  get(version: string): CheckedPack | undefined {
    return this.#pinned.get(version);
  }

  isRevoked(version: string): boolean {
    return this.#revoked.has(version);
  }

  /** Keeps a version for sessions. @returns whether it is new */
  pin(checked: CheckedPack): boolean {
    if (this.#revoked.has(checked.version)) return false;
    const known = this.#pinned.delete(checked.version);
    this.#pinned.set(checked.version, checked);
    for (const eldest of this.#pinned.keys()) if (this.#pinned.size > MAX_PINNED) this.#pinned.delete(eldest);
    return !known;
  }

  revoke(version: string): void {
    this.#revoked.add(version);
    for (const eldest of this.#revoked) if (this.#revoked.size > MAX_REVOKED) this.#revoked.delete(eldest);
    this.#pinned.delete(version);
  }

  /** A new epoch has another history, in which other versions are revoked. */
  forgetRevoked(): void {
    this.#revoked.clear();
  }
}
