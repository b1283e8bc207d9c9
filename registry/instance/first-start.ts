/**
 * What a start adds to the log: the registry itself, shipped versions that are not registered yet, new policies, missing pointers.
 *
 * Rule: all of it is one append, or nothing. After the first start the log decides: a restart never undoes a rollback and never touches a
 * pointer that is there.
 * Example: with `coach` 1.0.0, 1.1.0 and 2.0.0-rc.1 shipped and nothing in the log, 1.1.0 becomes active in each channel.
 */
import { RegistryError, StartRefused } from '../errors.ts';
import type { EventDraft } from '../log/event.ts';
import { SILENT, type Logger } from '../machine/logger.ts';
import { SYSTEM_ACTOR, type PackContent } from '../model.ts';
import { decideCreateKey, hasOperatorKey, newKey, type NewKey } from '../keys/keys.ts';
import type { ShippedPolicy } from '../packs/pack-folder.ts';
import { violationsOf } from '../packs/floor.ts';
import { asRegistered, decidePublish, type PublishCommand } from '../packs/publishing.ts';
import { missingPointers, type PointerOptions } from './first-pointers.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { SessionKey, StoredContent } from '../log/store.ts';
import { normalizeText } from '../packs/texts.ts';
import type { OperatorKeyFile } from '../keys/operator-key.ts';
import type { Decision } from '../log/proposal.ts';

export interface StartOptions extends PointerOptions {
  readonly policies: readonly ShippedPolicy[];
}

/** What a start appends, in one batch; empty if there is nothing to add. */
export interface StartPlan {
  readonly events: readonly EventDraft[];
  readonly contents: readonly StoredContent[];
  readonly sessionKeys: readonly SessionKey[];
}

/** What a plan needs from outside: ids, keys, registered contents. */
export interface StartResources {
  newId(): string;
  newSessionKey(): SessionKey;
  newKey(): NewKey;
  /** The instance that starts; the event of an operator key names it, so that people know where to look. */
  readonly instance: string;
  readonly operatorKey: OperatorKeyFile | undefined;
  knownContent(digest: string): Promise<PackContent>;
  readonly logger: Logger;
}

/**
 * Plans a start against what the log holds.
 *
 * @throws StartRefused (65) if a shipped version or a policy was edited without a new version; (78) if `DEFAULT_VERSION` names an unknown
 *   version while its pack has no pointer, if `DEFAULT_PACK` is unknown at a first start, or if there would be no pack at all
 */
export async function planStart(
  snapshot: Snapshot,
  options: StartOptions,
  resources: StartResources,
): Promise<StartPlan> {
  const sessionKeys = snapshot.registryId === '' ? [resources.newSessionKey()] : [];
  const created: EventDraft[] = sessionKeys.map(({ keyId }) => ({
    type: 'registry-created',
    actor: SYSTEM_ACTOR,
    reason: 'First start',
    data: { registryId: resources.newId(), sessionKeyId: keyId },
  }));
  const policies = policiesToApply(snapshot, options, resources.logger);
  const published = await publications(snapshot, options, policies, resources);
  const changed = await policyChanges(snapshot, policies, resources);
  const pointers = missingPointers(snapshot, options, [...changed, ...published.events], resources.logger);
  const key = resources.operatorKey === undefined || hasOperatorKey(snapshot) ? undefined : resources.newKey();
  // Written before the event: a key in the log that nobody has would lock everybody out, while a written key without an event is harmless.
  if (key !== undefined) await resources.operatorKey?.write(key.token);
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
          madeBy: resources.instance,
        });
  return {
    events: [...created, ...changed, ...published.events, ...pointers, ...operator],
    contents: published.contents,
    sessionKeys,
  };
}

/** Whether a start would append something, or be refused. Writes nothing and logs nothing. */
export async function addsToLog(
  snapshot: Snapshot,
  options: StartOptions,
  resources: StartResources,
): Promise<boolean> {
  const operatorKey = resources.operatorKey && {
    write: () => Promise.resolve(),
    finishWrite: () => Promise.resolve(false),
  };
  try {
    return (
      (await planStart(snapshot, options, { ...resources, newKey, operatorKey, logger: SILENT })).events.length > 0
    );
  } catch {
    return true; // the start itself fails in the same way, and reports it
  }
}

/** The events of shipped versions that are not registered yet. Versions below the floor are registered too, but flagged. */
async function publications(
  snapshot: Snapshot,
  options: StartOptions,
  policies: ReadonlyMap<string, ShippedPolicy>,
  resources: StartResources,
): Promise<Decision> {
  const events: EventDraft[] = [];
  const contents: StoredContent[] = [];
  const edited: string[] = [];
  const unfit: string[] = [];
  for (const { path, version: given } of options.shipped) {
    const version = await asRegistered(snapshot, given, (digest) => resources.knownContent(digest));
    const policy = policies.get(version.content.pack)?.policy;
    const command: PublishCommand = {
      type: 'publish',
      version,
      actor: SYSTEM_ACTOR,
      reason: 'Shipped with the service',
      belowFloor: 'flag',
      policy,
    };
    try {
      const decision = decidePublish(snapshot, command);
      events.push(...decision.events);
      contents.push(...decision.contents);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      if (error.code === 'validation-failed')
        unfit.push(...version.invisible.map(({ pointer, detail }) => `${path}: ${pointer ?? ''}: ${detail}`));
      else if (error.code === 'version-exists')
        edited.push(`${await editedFiles(path, version.content, resources, error)}: ${error.message}`); // SPEC R1
      else throw error;
    }
  }
  if (edited.length > 0)
    throw new StartRefused(65, `Shipped versions were edited after they were registered:\n  ${edited.join('\n  ')}`);
  if (unfit.length > 0) throw new StartRefused(65, `Shipped versions cannot be registered:\n  ${unfit.join('\n  ')}`);
  for (const event of events) {
    if (event.type !== 'version-published' || (event.data.violations ?? []).length === 0) continue;
    resources.logger.warn(
      { pack: event.pack, version: event.version, violations: event.data.violations },
      `${event.pack} ${event.version} is below the floor. It is registered, but cannot be activated.`,
    );
  }
  return { events, contents };
}

/** The shipped policies to put in force: a higher version replaces the one in force, a lower one is ignored, the same one must not differ. */
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
      logger.warn(
        { path, pack },
        'There is a policy for this pack, but no version of it. The policy takes effect at the first start after a version exists.',
      );
    } else if (known === undefined || policy.version > known.policy.version) {
      if (faults.length > 0) throw new StartRefused(65, `The policy cannot be put in force:\n  ${faults.join('\n  ')}`);
      news.set(pack, shippedPolicy);
    } else if (policy.version < known.policy.version) {
      logger.warn(
        { path, pack, version: policy.version, inForce: known.policy.version },
        'The shipped policy is older than the one in force, so it is ignored: the floor is not lowered.',
      );
    } else if (digest !== known.digest) {
      throw new StartRefused(
        65,
        `${path}: policy ${policy.version} of pack "${pack}" is already in force with other content. Give the change a higher "version".`,
      );
    } else if (faults.length > 0) {
      logger.warn(
        { path, pack, version: policy.version, faults },
        'The policy in force has rules that do nothing. Fix them and give the policy a higher "version".',
      );
    }
  }
  return news;
}

/** A new policy is one event, which also says which registered versions break it. */
async function policyChanges(
  snapshot: Snapshot,
  policies: ReadonlyMap<string, ShippedPolicy>,
  resources: StartResources,
): Promise<EventDraft[]> {
  const drafts: EventDraft[] = [];
  for (const [pack, { policy, digest }] of policies) {
    const violations = [];
    for (const { version, digest: content } of snapshot.packs.get(pack)?.versions ?? []) {
      const found = violationsOf(await resources.knownContent(content), policy);
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
  resources: StartResources,
  { members }: RegistryError,
): Promise<string> {
  const known = await resources.knownContent(members['digest'] as string);
  const files: string[] = [];
  if (edited.system !== normalizeText(known.system)) files.push('system.md');
  for (const { id, text } of edited.styles) {
    const before = known.styles.find((style) => style.id === id);
    if (before !== undefined && normalizeText(before.text) !== text) files.push(`styles/${id}.md`);
  }
  return (files.length > 0 ? files : ['pack.yaml']).map((file) => `${path}/${file}`).join(', ');
}

/** Logs an error for each active version below the floor. It is still served, because taking it away could be worse (SPEC R7). */
export function alarmBelowFloor(snapshot: Snapshot, logger: Logger): void {
  for (const [pack, state] of snapshot.packs) {
    for (const { channel, version } of state.pointers.values()) {
      const violations = state.versions.get(version)?.violations ?? [];
      if (violations.length > 0)
        logger.error(
          { pack, channel, version, violations },
          `${pack} ${channel} is at ${version}, which is below the floor. It is still served. Activate a version that is above the floor.`,
        );
    }
  }
}
