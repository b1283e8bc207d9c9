/**
 * Which version each channel points at after a start. A start never moves an existing pointer.
 *
 * Rule: `DEFAULT_VERSION` for the default pack, else the highest version that is not a prerelease, above the floor and not revoked.
 * Example: with `coach` 1.0.0, 1.1.0 and 2.0.0-rc.1 shipped and nothing in the log, 1.1.0 becomes active in each channel.
 */
import semver from 'semver';
import { StartRefused, listed } from '../errors.ts';
import type { EventDraft } from '../log/event.ts';
import type { Logger } from '../machine/logger.ts';
import { SYSTEM_ACTOR } from '../model.ts';
import { isActivatable, type Snapshot } from '../state/snapshot.ts';
import type { ShippedVersion } from '../packs/pack-folder.ts';

export interface PointerOptions {
  readonly shipped: readonly ShippedVersion[];
  readonly channels: readonly string[];
  readonly defaultPack: string;
  readonly defaultVersion: string | undefined;
}

/** A version that a start may choose from. */
interface Candidate {
  readonly version: string;
  readonly digest: string;
  readonly activatable: boolean;
}

/**
 * An activation for each channel of a pack that has no pointer yet.
 * @param planned what this start appends before them
 * @throws StartRefused (78), see `planStart`
 */
export function missingPointers(
  snapshot: Snapshot,
  options: PointerOptions,
  planned: readonly EventDraft[],
  logger: Logger,
): EventDraft[] {
  const shipped = new Set(options.shipped.map(({ version }) => version.content.pack));
  const { channels, defaultPack, defaultVersion } = options;
  if (shipped.size === 0 && snapshot.packs.size === 0) {
    throw new StartRefused(
      78,
      'PACKS_DIR holds no pack and the registry has none yet, so there would be nothing to serve. Put at least one <pack>/<version> folder into it, or point PACKS_DIR to where the packs are.',
    );
  }
  const configured = configuredDefault(snapshot, candidatesOf(snapshot, defaultPack, planned), {
    defaultPack,
    defaultVersion,
    logger,
  });
  requireDefaultPack(snapshot, shipped, defaultPack, logger);
  const drafts: EventDraft[] = [];
  for (const pack of configured === undefined ? shipped : shipped.add(defaultPack)) {
    const highest = candidatesOf(snapshot, pack, planned).find(
      ({ version, activatable }) => activatable && semver.prerelease(version) === null,
    );
    const chosen = (pack === defaultPack ? configured : undefined) ?? highest;
    const reason =
      chosen === configured
        ? 'First start: DEFAULT_VERSION'
        : 'First start: the highest version that is not a prerelease';
    for (const channel of channels) {
      if (snapshot.packs.get(pack)?.pointers.has(channel) === true) continue;
      if (chosen === undefined) {
        logger.warn(
          { pack, channel },
          'The pack has no version that a start may activate (only prereleases, or versions below the floor). Activate one by hand.',
        );
        continue;
      }
      const { version, digest } = chosen;
      drafts.push({
        type: 'version-activated',
        actor: SYSTEM_ACTOR,
        pack,
        channel,
        version,
        reason,
        data: { digest, previousVersion: null },
      });
    }
  }
  return drafts;
}

/** If `DEFAULT_PACK` is missing, a first start is refused. A restart during an incident must not be, so it only warns. */
function requireDefaultPack(
  snapshot: Snapshot,
  shipped: ReadonlySet<string>,
  defaultPack: string,
  logger: Logger,
): void {
  if (shipped.has(defaultPack) || snapshot.packs.has(defaultPack)) return;
  const packs = [...new Set([...shipped, ...snapshot.packs.keys()])].sort();
  const message = `DEFAULT_PACK is "${defaultPack}", which is not registered. Packs here: ${listed(packs)}.`;
  if (snapshot.revision === 0) throw new StartRefused(78, message);
  logger.warn(
    { variable: 'DEFAULT_PACK', value: defaultPack, packs },
    `${message} Reads and sessions that name no pack will fail until it is published.`,
  );
}

/** Every version of a pack, registered or about to be, the highest first, checked against the policy that will be in force. */
function candidatesOf(snapshot: Snapshot, pack: string, planned: readonly EventDraft[]): Candidate[] {
  const own = planned.filter((event) => event.pack === pack);
  const floor = own.find((event) => event.type === 'policy-changed')?.data.violations;
  const candidates: Candidate[] = [...(snapshot.packs.get(pack)?.versions ?? [])].map((record) => {
    const violations =
      floor === undefined
        ? record.violations
        : (floor.find(({ version }) => version === record.version)?.violations ?? []);
    return { version: record.version, digest: record.digest, activatable: isActivatable({ ...record, violations }) }; // SPEC R7
  });
  for (const event of own) {
    if (event.type !== 'version-published') continue;
    candidates.push({
      version: event.version ?? '',
      digest: event.data.digest,
      activatable: (event.data.violations ?? []).length === 0,
    });
  }
  return candidates.sort((a, b) => semver.rcompare(a.version, b.version));
}

/** `DEFAULT_VERSION`, if it can be used. A stale one must not stop a restart during an incident, so then it only warns. */
function configuredDefault(
  snapshot: Snapshot,
  candidates: readonly Candidate[],
  { defaultPack, defaultVersion, logger }: { defaultPack: string; defaultVersion: string | undefined; logger: Logger },
): Candidate | undefined {
  if (defaultVersion === undefined) return undefined;
  const found = candidates.find(({ version }) => version === defaultVersion);
  if (found?.activatable === true) return found;
  const there = candidates.filter(({ activatable }) => activatable).map(({ version }) => version);
  const message = `DEFAULT_VERSION is "${defaultVersion}", which pack "${defaultPack}" ${found === undefined ? 'does not have' : 'has, but which is revoked or below the floor'}. Versions that may be activated, the highest first: ${listed(there)}.`;
  if ((snapshot.packs.get(defaultPack)?.pointers.size ?? 0) === 0) throw new StartRefused(78, message);
  logger.warn(
    { variable: 'DEFAULT_VERSION', value: defaultVersion, pack: defaultPack, versions: there },
    `${message} The setting is ignored, because the pack already has an active version.`,
  );
  return undefined;
}
