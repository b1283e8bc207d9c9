/**
 * What a start adds to the log: the registry itself, shipped versions that are not known yet, pointers where there are none.
 *
 * Rule (DESIGN section 6): all of it is one append, or nothing. After the first start the log decides: a restart never
 * undoes a rollback and never touches a pointer that is there.
 * Example: with `coach` 1.0.0, 1.1.0 and 2.0.0-rc.1 shipped and nothing in the log, 1.1.0 becomes active in each channel.
 */
import semver from 'semver';
import { RegistryError, StartRefused, listed } from '../errors.ts';
import type { EventDraft } from '../log/event.ts';
import { SILENT, type Logger } from '../machine/logger.ts';
import { SYSTEM_ACTOR, type PackContent } from '../model.ts';
import { decideCreateKey, hasOperatorKey, newKey, type NewKey } from '../keys/keys.ts';
import type { ShippedPolicy, ShippedVersion } from '../packs/pack-folder.ts';
import { violationsOf } from '../packs/floor.ts';
import { asRegistered } from '../packs/publishing.ts';
import { isActivatable, type Snapshot } from '../state/snapshot.ts';
import type { SessionKey, StoredContent } from '../log/store.ts';
import { normalizeText } from '../packs/texts.ts';
import { decide, type Command } from '../transitions.ts';
import type { OperatorKeyFile } from '../keys/operator-key.ts';
import type { Decision } from '../log/proposal.ts';

export interface StartOptions {
  readonly shipped: readonly ShippedVersion[];
  readonly policies: readonly ShippedPolicy[];
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

/** What a plan takes from outside: ids, keys, contents that are registered already. */
export interface StartMeans {
  newId(): string;
  newSessionKey(): SessionKey;
  newKey(): NewKey;
  /** The instance that starts, for whoever looks for the operator key. */
  readonly instance: string;
  readonly operatorKey: OperatorKeyFile | undefined;
  knownContent(digest: string): Promise<PackContent>;
  readonly logger: Logger;
}

/**
 * Plans a start against what the log holds.
 *
 * @throws StartRefused (65) where a shipped version or a policy was edited under its version; (78) where `DEFAULT_VERSION` names a
 *   version that is not there while its pack has no pointer, where `DEFAULT_PACK` is not there at a first start, or where there would be no
 *   pack at all
 */
export async function planStart(snapshot: Snapshot, options: StartOptions, means: StartMeans): Promise<StartPlan> {
  const sessionKeys = snapshot.registryId === '' ? [means.newSessionKey()] : [];
  const created: EventDraft[] = sessionKeys.map(({ keyId }) => ({
    type: 'registry-created',
    actor: SYSTEM_ACTOR,
    reason: 'First start',
    data: { registryId: means.newId(), sessionKeyId: keyId },
  }));
  const policies = policiesToApply(snapshot, options, means.logger);
  const published = await publications(snapshot, options, policies, means);
  const changed = await policyChanges(snapshot, policies, means);
  const pointers = missingPointers(snapshot, options, [...changed, ...published.events], means.logger);
  const key = means.operatorKey === undefined || hasOperatorKey(snapshot) ? undefined : means.newKey();
  // There before the event is: a key in the log that nobody has would lock everybody out, the other way round it only opens nothing.
  if (key !== undefined) await means.operatorKey?.write(key.token);
  const operator =
    key === undefined
      ? []
      : decideCreateKey({
          type: 'create-key',
          key,
          label: 'operator',
          scopes: ['*'],
          actor: SYSTEM_ACTOR,
          heldScopes: ['*'],
          madeBy: means.instance,
        });
  return {
    events: [...created, ...changed, ...published.events, ...pointers, ...operator],
    contents: published.contents,
    sessionKeys,
  };
}

/** Whether a start would append something, or be refused by what the snapshot says. Writes nothing and logs nothing. */
export async function addsToLog(snapshot: Snapshot, options: StartOptions, means: StartMeans): Promise<boolean> {
  const operatorKey = means.operatorKey && {
    write: () => Promise.resolve(),
    finishWrite: () => Promise.resolve(false),
  };
  try {
    return (await planStart(snapshot, options, { ...means, newKey, operatorKey, logger: SILENT })).events.length > 0;
  } catch {
    return true; // the start itself meets it as well, and says so
  }
}

/** Shipped versions that are not known yet. Those under the floor are registered all the same, flagged. */
async function publications(
  snapshot: Snapshot,
  options: StartOptions,
  policies: ReadonlyMap<string, ShippedPolicy>,
  means: StartMeans,
): Promise<Decision> {
  const events: EventDraft[] = [];
  const contents: StoredContent[] = [];
  const edited: string[] = [];
  const unfit: string[] = [];
  for (const { path, version: given } of options.shipped) {
    const version = await asRegistered(snapshot, given, (digest) => means.knownContent(digest));
    const policy = policies.get(version.content.pack)?.policy;
    const command: Command = {
      type: 'publish',
      version,
      actor: SYSTEM_ACTOR,
      reason: 'Shipped with the service',
      belowFloor: 'flag',
      policy,
    };
    try {
      const decision = decide(snapshot, command, options);
      events.push(...decision.events);
      contents.push(...decision.contents);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      if (error.code === 'validation-failed')
        unfit.push(...version.invisible.map(({ pointer, detail }) => `${path}: ${pointer ?? ''}: ${detail}`));
      else if (error.code === 'version-exists')
        edited.push(`${await editedFiles(path, version.content, means, error)}: ${error.message}`); // SPEC R1
      else throw error;
    }
  }
  if (edited.length > 0)
    throw new StartRefused(
      65,
      `Shipped versions were edited after they had been registered:\n  ${edited.join('\n  ')}`,
    );
  if (unfit.length > 0) throw new StartRefused(65, `Shipped versions cannot be registered:\n  ${unfit.join('\n  ')}`);
  for (const event of events) {
    if (event.type !== 'version-published' || (event.data.violations ?? []).length === 0) continue;
    means.logger.warn(
      { pack: event.pack, version: event.version, violations: event.data.violations },
      `${event.pack} ${event.version} is under the floor: it is registered, but cannot be activated.`,
    );
  }
  return { events, contents };
}

/** The shipped policies that are news to the log: a higher version replaces, a lower one is ignored, the same must be the same. */
function policiesToApply(
  snapshot: Snapshot,
  { policies, shipped }: StartOptions,
  logger: Logger,
): Map<string, ShippedPolicy> {
  const news = new Map<string, ShippedPolicy>();
  for (const shippedPolicy of policies) {
    const { pack, path, policy, digest, faultsIfNew } = shippedPolicy;
    const known = snapshot.packs.get(pack)?.policy;
    const faults = faultsIfNew.map(({ pointer, detail }) => `${path}: ${pointer ?? ''}: ${detail}`);
    if (
      known === undefined &&
      !snapshot.packs.has(pack) &&
      !shipped.some(({ version }) => version.content.pack === pack)
    ) {
      logger.warn({ path, pack }, 'There is a policy, but no version of its pack; it waits for one.');
    } else if (known === undefined || policy.version > known.policy.version) {
      if (faults.length > 0) throw new StartRefused(65, `The policy cannot be put in force:\n  ${faults.join('\n  ')}`);
      news.set(pack, shippedPolicy);
    } else if (policy.version < known.policy.version) {
      logger.warn(
        { path, pack, version: policy.version, inForce: known.policy.version },
        'The shipped policy is older than the one in force and is ignored: the floor is not lowered.',
      );
    } else if (digest !== known.digest) {
      throw new StartRefused(
        65,
        `${path}: policy ${policy.version} of pack "${pack}" is in force already with other content. Give the change a higher "version".`,
      );
    } else if (faults.length > 0) {
      logger.warn(
        { path, pack, version: policy.version, faults },
        'The policy in force has rules that do nothing. Mend them and give the policy a higher "version".',
      );
    }
  }
  return news;
}

/** A new policy is an event that says, too, which of the registered versions break it. */
async function policyChanges(
  snapshot: Snapshot,
  policies: ReadonlyMap<string, ShippedPolicy>,
  means: StartMeans,
): Promise<EventDraft[]> {
  const drafts: EventDraft[] = [];
  for (const [pack, { policy, digest }] of policies) {
    const violations = [];
    for (const { version, digest: content } of snapshot.packs.get(pack)?.versions ?? []) {
      const found = violationsOf(await means.knownContent(content), policy);
      if (found.length > 0) violations.push({ version, violations: found });
    }
    drafts.push({
      type: 'policy-changed',
      actor: SYSTEM_ACTOR,
      reason: `Policy ${policy.version} shipped with the service`,
      pack,
      data: { policy, digest, violations },
    });
  }
  return drafts;
}

/** The files of a version's folder that differ from what is registered. */
async function editedFiles(
  path: string,
  edited: PackContent,
  means: StartMeans,
  { members }: RegistryError,
): Promise<string> {
  const known = await means.knownContent(members['digest'] as string);
  const files: string[] = [];
  if (edited.system !== normalizeText(known.system)) files.push('system.md');
  for (const { id, text } of edited.styles) {
    const before = known.styles.find((style) => style.id === id);
    if (before !== undefined && normalizeText(before.text) !== text) files.push(`styles/${id}.md`);
  }
  return (files.length > 0 ? files : ['pack.yaml']).map((file) => `${path}/${file}`).join(', ');
}

/** A version that a start may choose from. */
interface Candidate {
  readonly version: string;
  readonly digest: string;
  readonly activatable: boolean;
}

/** @param planned what this start is about to append before them */
function missingPointers(
  snapshot: Snapshot,
  options: StartOptions,
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
  const asSet = chosenByDefault(snapshot, candidatesOf(snapshot, defaultPack, planned), {
    defaultPack,
    defaultVersion,
    logger,
  });
  requireDefaultPack(snapshot, shipped, defaultPack, logger);
  const drafts: EventDraft[] = [];
  for (const pack of asSet === undefined ? shipped : shipped.add(defaultPack)) {
    const highest = candidatesOf(snapshot, pack, planned).find(
      ({ version, activatable }) => activatable && semver.prerelease(version) === null,
    );
    const chosen = (pack === defaultPack ? asSet : undefined) ?? highest;
    const reason =
      chosen === asSet ? 'First start: DEFAULT_VERSION' : 'First start: the highest version that is no prerelease';
    for (const channel of channels) {
      if (snapshot.packs.get(pack)?.pointers.has(channel) === true) continue;
      if (chosen === undefined) {
        logger.warn(
          { pack, channel },
          'The pack has no version that may be activated by itself (prereleases, versions under the floor); activate one by hand.',
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

/** `DEFAULT_PACK` is what reads and sessions mean. One that is not there stops a first start; it must not stop a restart during an incident. */
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
    `${message} Reads and sessions that name no pack find nothing until it is published.`,
  );
}

/** Every version of a pack, known or about to be published, the highest first; held to the policy that is about to be in force. */
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

/** `DEFAULT_VERSION` where it can be used. A stale one must not stop a restart during an incident, so then it only warns. */
function chosenByDefault(
  snapshot: Snapshot,
  candidates: readonly Candidate[],
  { defaultPack, defaultVersion, logger }: { defaultPack: string; defaultVersion: string | undefined; logger: Logger },
): Candidate | undefined {
  if (defaultVersion === undefined) return undefined;
  const found = candidates.find(({ version }) => version === defaultVersion);
  if (found?.activatable === true) return found;
  const there = candidates.filter(({ activatable }) => activatable).map(({ version }) => version);
  const message = `DEFAULT_VERSION is "${defaultVersion}", which pack "${defaultPack}" ${found === undefined ? 'does not have' : 'has, but which is revoked or under the floor'}. Versions that would do, the highest first: ${listed(there)}.`;
  if ((snapshot.packs.get(defaultPack)?.pointers.size ?? 0) === 0) throw new StartRefused(78, message);
  logger.warn(
    { variable: 'DEFAULT_VERSION', value: defaultVersion, pack: defaultPack, versions: there },
    `${message} It is not needed, as the pack has an active version already; it is ignored.`,
  );
  return undefined;
}

/** An active version under the floor goes on being served, but loudly: taking it away could be worse (SPEC R7). */
export function alarmUnderFloor(snapshot: Snapshot, logger: Logger): void {
  for (const [pack, state] of snapshot.packs) {
    for (const { channel, version } of state.pointers.values()) {
      const violations = state.versions.get(version)?.violations ?? [];
      if (violations.length > 0)
        logger.error(
          { pack, channel, version, violations },
          `${pack} ${channel} is at ${version}, which is under the floor. It goes on being served; activate a version that is not.`,
        );
    }
  }
}
