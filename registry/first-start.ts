/**
 * What a start adds to the log: the registry itself, shipped versions that are not known yet, pointers where there are none.
 *
 * Rule (DESIGN section 6): all of it is one append, or nothing. After the first start the log decides: a restart never
 * undoes a rollback and never touches a pointer that is there.
 * Example: with `coach` 1.0.0, 1.1.0 and 2.0.0-rc.1 shipped and nothing in the log, 1.1.0 becomes active in each channel.
 */
import semver from 'semver';
import { RegistryError, StartRefused } from './errors.ts';
import type { EventDraft } from './event.ts';
import type { Log } from './log.ts';
import { SYSTEM_ACTOR, type PackContent } from './model.ts';
import type { ShippedVersion } from './pack-folder.ts';
import { listed, type Snapshot } from './snapshot.ts';
import type { SessionKey, StoredContent } from './store.ts';
import { decide } from './transitions.ts';

export interface StartOptions {
  readonly shipped: readonly ShippedVersion[];
  readonly channels: readonly string[];
  readonly defaultPack: string;
  readonly defaultVersion: string | undefined;
}

/** What a start appends, in one batch; nothing where there is nothing to add. */
export interface StartPlan {
  readonly events: readonly EventDraft[];
  readonly contents: readonly StoredContent[];
  readonly sessionKeys: readonly SessionKey[];
}

/**
 * Plans a start against what the log holds.
 *
 * @param knownContent gives the registered content of a digest, to name the file that was edited
 * @throws StartRefused (65) where a shipped version was edited; (78) where `DEFAULT_VERSION` names a version that is not
 *   there while its pack has no pointer, or where there would be no pack at all
 */
export async function planStart(
  snapshot: Snapshot,
  options: StartOptions,
  fresh: { newId(): string; newSessionKey(): SessionKey; knownContent(digest: string): Promise<PackContent>; log: Log },
): Promise<StartPlan> {
  const events: EventDraft[] = [];
  const contents: StoredContent[] = [];
  const sessionKeys: SessionKey[] = [];

  if (snapshot.registryId === '') {
    const key = fresh.newSessionKey();
    sessionKeys.push(key);
    events.push({ type: 'registry-created', actor: SYSTEM_ACTOR, reason: 'First start', data: { registryId: fresh.newId(), sessionKeyId: key.keyId } });
  }
  const faults: string[] = [];
  for (const { path, version } of options.shipped) {
    try {
      const decision = decide(snapshot, { type: 'publish', version, actor: SYSTEM_ACTOR, reason: 'Shipped with the service' }, { channels: options.channels });
      events.push(...decision.events);
      contents.push(...decision.contents);
    } catch (error) {
      if (!(error instanceof RegistryError) || error.code !== 'version-exists') throw error;
      const known = await fresh.knownContent(error.members['digest'] as string);
      const files = editedFiles(version.content, known);
      faults.push(`${path}/${files.join(`, ${path}/`)}: ${error.message}`); // SPEC R1
    }
  }
  if (faults.length > 0) throw new StartRefused(65, `Shipped versions were edited after they had been registered:\n  ${faults.join('\n  ')}`);

  events.push(...missingPointers(snapshot, options, fresh.log));
  return { events, contents, sessionKeys };
}

/** The files of a version's folder that differ from what is registered. */
function editedFiles(edited: PackContent, known: PackContent): string[] {
  const files: string[] = [];
  if (edited.system !== known.system) files.push('system.md');
  for (const { id, text } of edited.styles) {
    const before = known.styles.find((style) => style.id === id);
    if (before !== undefined && before.text !== text) files.push(`styles/${id}.md`);
  }
  return files.length > 0 ? files : ['pack.yaml'];
}

function missingPointers(snapshot: Snapshot, options: StartOptions, log: Log): EventDraft[] {
  const digests = shippedDigests(snapshot, options);
  const { defaultPack, defaultVersion } = options;
  if (digests.size === 0 && snapshot.packs.size === 0) {
    throw new StartRefused(78, 'PACKS_DIR holds no pack and the registry has none yet, so there would be nothing to serve. Put at least one <pack>/<version> folder into it, or point PACKS_DIR to where the packs are.');
  }
  const chosen = checkedDefaultVersion(snapshot, digests.get(defaultPack), { defaultPack, defaultVersion, log });
  const shippedPacks = new Set(options.shipped.map(({ version }) => version.content.pack));
  const drafts: EventDraft[] = [];
  for (const [pack, versions] of digests) {
    const highest = semver.rsort([...versions.keys()]).find((version) => semver.prerelease(version) === null);
    const asSet = pack === defaultPack ? chosen : undefined;
    const version = asSet ?? (shippedPacks.has(pack) ? highest : undefined);
    if (version === undefined && !shippedPacks.has(pack)) continue;
    const reason = asSet === undefined ? 'First start: the highest version that is no prerelease' : 'First start: DEFAULT_VERSION';
    for (const channel of options.channels) {
      if (snapshot.packs.get(pack)?.pointers.has(channel) === true) continue;
      const digest = version === undefined ? undefined : versions.get(version);
      if (version === undefined || digest === undefined) {
        log.warn({ pack, channel }, 'The pack has prereleases only, so none was activated; activate one by hand.');
        continue;
      }
      drafts.push({ type: 'version-activated', actor: SYSTEM_ACTOR, pack, channel, version, reason, data: { digest, previousVersion: null } });
    }
  }
  return drafts;
}

/** Every version, shipped or known, of the packs that a start may point at: the shipped ones, and the one `DEFAULT_VERSION` is of. */
function shippedDigests(snapshot: Snapshot, { shipped, defaultPack, defaultVersion }: StartOptions): Map<string, Map<string, string>> {
  const packs = new Set(shipped.map(({ version }) => version.content.pack));
  if (defaultVersion !== undefined && snapshot.packs.has(defaultPack)) packs.add(defaultPack);
  const digests = new Map<string, Map<string, string>>();
  for (const pack of packs) digests.set(pack, new Map([...(snapshot.packs.get(pack)?.versions ?? [])].map(([version, { digest }]) => [version, digest])));
  for (const { version } of shipped) digests.get(version.content.pack)?.set(version.content.version, version.digest);
  return digests;
}

/** `DEFAULT_VERSION` where it can be used. A stale one must not stop a restart during an incident, so then it only warns. */
function checkedDefaultVersion(
  snapshot: Snapshot,
  versions: ReadonlyMap<string, string> | undefined,
  { defaultPack, defaultVersion, log }: { defaultPack: string; defaultVersion: string | undefined; log: Log },
): string | undefined {
  if (defaultVersion === undefined) return undefined;
  const state = snapshot.packs.get(defaultPack);
  if (versions?.has(defaultVersion) === true || state?.versions.has(defaultVersion) === true) return defaultVersion;
  const there = semver.rsort([...new Set([...(versions?.keys() ?? []), ...(state?.versions.keys() ?? [])])]);
  const message = `DEFAULT_VERSION is "${defaultVersion}", which pack "${defaultPack}" does not have. Its versions, the highest first: ${listed(there)}.`;
  if ((state?.pointers.size ?? 0) === 0) throw new StartRefused(78, message);
  log.warn({ variable: 'DEFAULT_VERSION', value: defaultVersion, pack: defaultPack, versions: there }, `${message} It is not needed, as the pack has an active version already; it is ignored.`);
  return undefined;
}
