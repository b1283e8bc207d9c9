/** What a run of all checks leaves at the server for good, at most: versions of the pack, revoked keys, and events of both. */
export const LEAVES = { versions: 40, keys: 25, events: 280 } as const;
