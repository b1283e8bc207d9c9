/** The most that a full run leaves on the server: versions of its pack, revoked keys, and the events of both. */
export const LEAVES = { versions: 42, keys: 30, events: 700 } as const;
