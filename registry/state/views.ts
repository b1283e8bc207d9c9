/** The answers about a channel, built once per move and frozen (SPEC R2). */
import { FrozenMap } from '../values/frozen.ts';
import { assigning, type Arm, type Assign, type AssignmentRule } from '../assignment/assign.ts';
import { LogBroken, RegistryError, listed } from '../errors.ts';
import type { Actor, AttributeTexts, Compatibility, PackContent, Style, StyleTitle } from '../model.ts';
import type { Rollout } from './plans.ts';
import type { Pointer } from './records.ts';

/** Where an answer comes from; part of every read (SPEC R2). */
export interface Origin {
  readonly pack: string;
  readonly channel: string;
  readonly version: string;
  readonly digest: string;
  readonly revision: number;
}

export interface ActivePack extends Origin {
  readonly activatedAt: string;
  readonly activatedBy: Actor;
  readonly reason: string;
  readonly defaultStyle: string;
  readonly compatibility: Readonly<Compatibility>;
  readonly system: string;
  readonly styles: readonly Readonly<Style>[];
}

export interface SystemPrompt extends Origin {
  readonly text: string;
}

export interface StylePrompt extends Origin {
  readonly styleId: string;
  readonly title: string;
  readonly text: string;
}

export interface StyleList extends Origin {
  readonly defaultStyle: string;
  readonly styles: readonly Readonly<StyleTitle>[];
}

/** All answers that come from one version in a channel. */
export interface ArmView {
  readonly activePack: ActivePack;
  readonly systemPrompt: SystemPrompt;
  readonly styleList: StyleList;
  readonly stylePrompts: FrozenMap<string, StylePrompt>;
  /** The content that they are built from. */
  readonly content: PackContent;
}

/** A rollout that runs in a channel: the other arm, and who gets it. */
export interface RolloutView extends AssignmentRule {
  /** The revision of its `rollout-started` event. */
  readonly id: number;
  readonly state: Rollout['state'];
  readonly candidate: ArmView;
  /** Compiled from the rule. */
  readonly assign: Assign;
}

/** All answers about a channel: the stable arm, and the rollout if one runs. */
export interface ChannelView extends ArmView {
  readonly rollout: RolloutView | undefined;
}

/** Which arm of which rollout. */
export interface Assignment {
  /** The id of the rollout. */
  readonly rollout: number;
  readonly arm: Arm;
}

/** The arm that a subject gets, and the assignment if a rollout runs. Without a subject it is the stable arm (SPEC R13). */
export function armFor(
  view: ChannelView,
  subject: string | undefined,
  attributes: AttributeTexts,
): { readonly arm: ArmView; readonly assignment: Assignment | undefined } {
  const { rollout } = view;
  if (rollout === undefined) return { arm: view, assignment: undefined };
  const arm = rollout.assign(subject, attributes);
  return { arm: arm === 'candidate' ? rollout.candidate : view, assignment: { rollout: rollout.id, arm } };
}

/** One style of an arm's version. @throws RegistryError `style-not-found`, with the version's styles */
export function styleIn(view: ArmView, styleId: string): StylePrompt {
  const prompt = view.stylePrompts.get(styleId);
  if (prompt === undefined) {
    const { pack, version } = view.activePack;
    const supportedStyles = [...view.stylePrompts.keys()];
    throw new RegistryError(
      'style-not-found',
      `Version ${version} of pack "${pack}" has no style "${styleId}". Its styles: ${listed(supportedStyles)}.`,
      {
        supportedStyles,
      },
    );
  }
  return prompt;
}

/** Where an arm is, and since when. */
export type ArmOrigin = Origin & Pick<ActivePack, 'activatedAt' | 'activatedBy' | 'reason'>;

/**
 * The view of a channel. What did not change since `before` is the same object, so that its prepared answers stay.
 * @param contents has at least what `digestsNeeded` names
 */
export function channelViewOf(
  pointer: Pointer,
  rollout: Rollout | undefined,
  before: ChannelView | undefined,
  contents: { get(digest: string): PackContent | undefined },
): ChannelView {
  const arm = (origin: ArmOrigin) => viewOf(origin, contentFrom(contents, origin));
  const stable = before !== undefined && isSamePointer(before, pointer) ? before : arm(pointer);
  const view = rollout && rolloutViewOf(rollout, before?.rollout, arm);
  if (stable === before && view === before.rollout) return before;
  return Object.freeze({ ...stable, rollout: view });
}

/** The digests of the contents that `channelViewOf` needs. */
export function digestsNeeded(
  pointer: Pick<Pointer, 'revision' | 'digest'> | undefined,
  rollout: Rollout | undefined,
  before: ChannelView | undefined,
): string[] {
  return [
    ...(pointer === undefined || (before !== undefined && isSamePointer(before, pointer)) ? [] : [pointer.digest]),
    ...(rollout === undefined || before?.rollout?.id === rollout.id ? [] : [rollout.digest]),
  ];
}

function isSamePointer(
  { activePack }: ChannelView,
  { revision, digest }: Pick<Pointer, 'revision' | 'digest'>,
): boolean {
  return activePack.revision === revision && activePack.digest === digest;
}

/** @throws LogBroken if the content is missing */
function contentFrom(contents: { get(digest: string): PackContent | undefined }, origin: ArmOrigin): PackContent {
  const content = contents.get(origin.digest);
  if (content === undefined)
    throw new LogBroken(`The content of ${origin.pack} ${origin.version} (${origin.digest}) is not in the store.`);
  return content;
}

function rolloutViewOf(
  rollout: Rollout,
  before: RolloutView | undefined,
  arm: (origin: ArmOrigin) => ArmView,
): RolloutView {
  const { id, state, version, digest, salt, share, audience, pack, channel, startedAt, startedBy, reason } = rollout;
  const isSame = before?.id === id;
  if (isSame && before.share === share && before.state === state) return before;
  // Its revision is the rollout's, so that a step changes no ETag.
  const origin = { pack, channel, version, digest, revision: id };
  const candidate = isSame
    ? before.candidate
    : arm({ ...origin, activatedAt: startedAt, activatedBy: startedBy, reason });
  const rule = { salt, share, audience };
  const assign = isSame && before.share === share ? before.assign : assigning(rule);
  return Object.freeze({ id, state, ...rule, candidate, assign });
}

/** Builds all answers that come from one version in a channel. */
export function viewOf(arm: ArmOrigin, content: PackContent): ArmView {
  const { pack, channel, version, digest, revision, activatedAt, activatedBy, reason } = arm;
  const { defaultStyle, compatibility, system, styles } = content;
  const origin = { pack, channel, version, digest, revision };
  const titles = Object.freeze(styles.map(({ id, title }) => Object.freeze({ id, title })));
  return Object.freeze({
    activePack: Object.freeze({
      ...origin,
      activatedAt,
      activatedBy,
      reason,
      defaultStyle,
      compatibility,
      system,
      styles,
    }),
    systemPrompt: Object.freeze({ ...origin, text: system }),
    styleList: Object.freeze({ ...origin, defaultStyle, styles: titles }),
    stylePrompts: new FrozenMap(
      styles.map(({ id, title, text }) => [id, Object.freeze({ ...origin, styleId: id, title, text })] as const),
    ),
    content,
  });
}

/** A frozen actor; an actor that its owner can still change is copied. */
export function freezeActor(actor: Actor): Actor {
  return Object.isFrozen(actor) ? actor : Object.freeze({ ...actor });
}
