/** The most that a full run leaves on the server: versions of its pack, revoked keys, and the events of both. */
export const LEAVES = { versions: 40, keys: 25, events: 280 } as const;
