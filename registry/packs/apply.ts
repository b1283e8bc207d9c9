/** What publications and policies do to the state. */
import { LogBroken } from '../errors.ts';
import type { PackEvents } from '../log/data/packs.ts';
import { changeRollouts } from '../state/plan-changes.ts';
import { changeRecord, named, type Appliers } from '../state/draft.ts';
import { freezeActor } from '../state/views.ts';
import { deepFreeze } from '../values/frozen.ts';

export const PACK_APPLIERS: Appliers<keyof PackEvents> = {
  'version-published': (draft, event) => {
    const pack = draft.packOf(event);
    const version = named(event, 'version');
    if (pack.versions.has(version))
      throw new LogBroken(`Revision ${event.revision} publishes ${pack.pack} ${version} a second time.`); // SPEC R1
    const { digest, summary, author, defaultStyle, styles, compatibility, violations = [] } = event.data;
    const record = Object.freeze({
      pack: pack.pack,
      version,
      digest,
      summary,
      author,
      defaultStyle,
      styles: deepFreeze(styles),
      compatibility: deepFreeze(compatibility),
      violations: deepFreeze(violations),
      publishedAt: event.at,
      publishedBy: freezeActor(event.actor),
    });
    pack.versions = pack.versions.with(record);
  },

  'policy-changed': (draft, event) => {
    const pack = draft.packOf(event);
    const { policy, digest, violations } = event.data;
    pack.policy = Object.freeze({
      policy: deepFreeze(policy),
      digest,
      revision: event.revision,
      changedAt: event.at,
      changedBy: freezeActor(event.actor),
    });
    const found = new Map(deepFreeze(violations).map((entry) => [entry.version, entry.violations]));
    for (const { version, violations: before } of pack.versions) {
      const now = found.get(version) ?? [];
      if (before.length > 0 || now.length > 0) changeRecord(pack, version, event, { violations: now });
    }
    changeRollouts(pack, event);
  },
};
