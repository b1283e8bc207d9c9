/** The answers about a channel, built once per move and frozen (SPEC R2). */
import { FrozenMap } from '../values/frozen.ts';
import { RegistryError, listed } from '../errors.ts';
import type { Actor, Compatibility, PackContent, Style, StyleTitle } from '../model.ts';
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

/** All answers that depend on one pointer. */
export interface ChannelView {
  readonly activePack: ActivePack;
  readonly systemPrompt: SystemPrompt;
  readonly styleList: StyleList;
  readonly stylePrompts: FrozenMap<string, StylePrompt>;
  /** The content that they are built from. */
  readonly content: PackContent;
}

/** One style of a channel's active version. @throws RegistryError `style-not-found`, with the version's styles */
export function styleIn(view: ChannelView, styleId: string): StylePrompt {
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

/** Builds all answers for a pointer. */
export function viewOf(pointer: Pointer, content: PackContent): ChannelView {
  const { pack, channel, version, digest, revision, activatedAt, activatedBy, reason } = pointer;
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
