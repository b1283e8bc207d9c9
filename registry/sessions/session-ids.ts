/**
 * Coach sessions: the id is a signed token that says where the session is pinned. Any instance can read it without a database (SPEC R8).
 *
 * Problem: an id has at most 200 characters, but the names of a pack, a channel and a style can have 63 each.
 * Rule: the token names the channel by 48 bits of a hash, the version by 96 bits of its digest, and the style by its index in the version
 * (which never changes). It also has the arm's revision, the lifetime and 64 random bits. It is a JWT (RFC 7519) with HS256; its header
 * names the signing key, so that keys can rotate. A session of a later epoch or under a rollout has one part more: the epoch, and the arm
 * with its rollout. Ids of older builds lack it: they are of epoch 1. Up to 60 million events an id has at most 200 characters.
 * Example: claims `{"exp":1767225600,"p":"kQ3xV0aB.9f2c…16.7.0.1e40.q83vEf…"}`.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createDecoder, createSigner, createVerifier } from 'fast-jwt';
import { RegistryError, listed } from '../errors.ts';
import type { PackState, Snapshot } from '../state/snapshot.ts';
import type { SessionKey } from '../log/store.ts';
import type { VersionRecord } from '../state/records.ts';
import type { Pin, Session } from './session.ts';
import type { ArmView, Assignment } from '../state/views.ts';

/** The most characters of a session id. */
export const SESSION_ID_LENGTH = 200;

/** What a new session starts on. */
export interface SessionStart {
  readonly view: ArmView;
  readonly epoch: number;
  readonly assignment?: Assignment | undefined;
  /** Default: the version's default style. */
  readonly styleId?: string | undefined;
  readonly random: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** 64 random bits, base64url: they make an id unique, and are the subject of a session without one. */
export function newSessionName(): string {
  return randomBytes(8).toString('base64url');
}

/** A new signing key: 256 random bits. */
export function newSessionKey(createdAt: string): SessionKey {
  return { keyId: randomBytes(3).toString('hex'), secret: randomBytes(32).toString('base64url'), createdAt };
}

const decodeHeader = createDecoder({ complete: true });

export class Sessions {
  readonly #sign: (payload: object) => string;
  readonly #verifiers = new Map<string, (token: string) => unknown>();
  readonly #ttlSeconds: number;
  readonly #channels = new Map<string, { pack: string; channel: string }>();
  /** Version by handle. */
  readonly #versions = new Map<string, string>();

  /**
   * @param keys all session keys, newest last; the newest signs, all verify
   * @param ttl the lifetime of a session, in milliseconds
   */
  constructor(keys: readonly SessionKey[], ttl: number) {
    const newest = keys.at(-1);
    if (newest === undefined) throw new Error('There is no session key.');
    this.#ttlSeconds = Math.floor(ttl / 1000);
    this.#sign = createSigner<object>({
      algorithm: 'HS256',
      key: Buffer.from(newest.secret, 'base64url'),
      noTimestamp: true,
      header: { alg: 'HS256', kid: newest.keyId, typ: undefined } as unknown as { alg: string },
    });
    for (const { keyId, secret } of keys) {
      const verify = createVerifier({
        algorithms: ['HS256'],
        key: Buffer.from(secret, 'base64url'),
        ignoreExpiration: true,
      });
      this.#verifiers.set(keyId, verify as (token: string) => unknown);
    }
  }

  /**
   * Starts a session on an arm.
   *
   * @throws RegistryError `style-not-supported`, with the version's styles
   */
  start({ view, epoch, assignment, styleId, random, now }: SessionStart): Session {
    const { pack, channel, version, digest, revision, styles, defaultStyle, system } = view.activePack;
    const requested = styleId ?? defaultStyle;
    const styleIndex = styles.findIndex(({ id }) => id === requested);
    const style = styles[styleIndex];
    if (style === undefined) {
      const supportedStyles = styles.map(({ id }) => id);
      throw new RegistryError(
        'style-not-supported',
        `Version ${version} of pack "${pack}" has no style "${requested}". Use one of: ${listed(supportedStyles)}; or leave the style out to get "${defaultStyle}".`,
        { supportedStyles, defaultStyle },
      );
    }
    const started = Math.floor(now / 1000);
    const expires = started + this.#ttlSeconds;
    const claims = [
      channelHandle(pack, channel),
      versionHandle(digest),
      base36(revision),
      base36(styleIndex),
      base36(this.#ttlSeconds),
      random,
      ...historyPart(epoch, revision, assignment),
    ];
    return {
      sessionId: this.#sign({ exp: expires, p: claims.join('.') }),
      startedAt: time(started),
      expiresAt: time(expires),
      promptPack: { pack, channel, version, digest, revision },
      prompt: { system, style },
      superseded: false,
      ...(assignment !== undefined && { assignment }),
    };
  }

  /**
   * Reads a session id.
   *
   * @param now milliseconds since the epoch
   * @throws RegistryError `session-not-found` if it is forged, truncated, expired or from another registry
   */
  read(snapshot: Snapshot, sessionId: string, now: number): Pin {
    const claims = this.#verified(sessionId);
    const [channelPart = '', versionPart = '', revisionPart = '', style = '', ttl = '', , history] =
      claims?.p.split('.') ?? [];
    const revision = parseInt(revisionPart, 36);
    const channelRef = this.#channelRef(snapshot, channelPart);
    const record = channelRef && this.#recordOf(snapshot.packs.get(channelRef.pack), versionPart);
    if (claims === undefined || channelRef === undefined || record === undefined || claims.exp * 1000 <= now) {
      throw new RegistryError(
        'session-not-found',
        'There is no such session: the id is damaged, comes from another registry, or has expired. Start a new session.',
      );
    }
    return {
      record,
      channel: channelRef.channel,
      revision,
      ...historyOf(history, revision),
      styleIndex: parseInt(style, 36),
      startedAt: time(claims.exp - parseInt(ttl, 36)),
      expiresAt: time(claims.exp),
    };
  }

  /** The log revision of a session's pin; undefined if the id was not issued here. */
  revisionOf(sessionId: string): number | undefined {
    const revision = this.#verified(sessionId)?.p.split('.')[2];
    return revision === undefined ? undefined : parseInt(revision, 36);
  }

  #verified(sessionId: string): { exp: number; p: string } | undefined {
    if (sessionId.length > SESSION_ID_LENGTH) return undefined;
    // The last base64url character has unused bits, so a signature has several spellings. Only the one that was issued is accepted.
    const signature = sessionId.slice(sessionId.lastIndexOf('.') + 1);
    if (Buffer.from(signature, 'base64url').toString('base64url') !== signature) return undefined;
    try {
      const { kid } = (decodeHeader(sessionId) as { header: { kid?: unknown } }).header;
      const verify = typeof kid === 'string' ? this.#verifiers.get(kid) : undefined;
      return verify?.(sessionId) as { exp: number; p: string } | undefined;
    } catch {
      return undefined; // any fault in a token means: no such session
    }
  }

  /** The version with this handle. Remembers the result, because a pack may have thousands of versions. */
  #recordOf(state: PackState | undefined, handle: string): VersionRecord | undefined {
    const prefix = `sha256:${Buffer.from(handle, 'base64url').toString('hex')}`;
    const known = state?.versions.get(this.#versions.get(handle) ?? '');
    if (known?.digest.startsWith(prefix) === true) return known;
    const record = state?.versions.find(({ digest }) => digest.startsWith(prefix));
    if (record !== undefined) this.#versions.set(handle, record.version);
    return record;
  }

  #channelRef(snapshot: Snapshot, handle: string): { pack: string; channel: string } | undefined {
    const known = this.#channels.get(handle);
    if (known !== undefined) return known;
    for (const [pack, state] of snapshot.packs) {
      for (const channel of state.pointers.keys()) this.#channels.set(channelHandle(pack, channel), { pack, channel });
    }
    return this.#channels.get(handle);
  }
}

function channelHandle(pack: string, channel: string): string {
  return createHash('sha256').update(`${pack}/${channel}`).digest('base64url').slice(0, 8);
}

function versionHandle(digest: string): string {
  return Buffer.from(digest.slice('sha256:'.length), 'hex').subarray(0, 12).toString('base64url');
}

/** `1c` in epoch 1 on the candidate; `2s1f` in epoch 2 on stable, under the rollout 51 revisions after the pointer's. */
function historyPart(epoch: number, revision: number, assignment: Assignment | undefined): string[] {
  if (assignment === undefined) return epoch === 1 ? [] : [String(epoch)];
  const { arm, rollout } = assignment;
  return [arm === 'candidate' ? `${epoch}c` : `${epoch}s${base36(rollout - revision)}`]; // the candidate's revision is its rollout
}

function historyOf(part: string | undefined, revision: number): Pick<Pin, 'epoch' | 'assignment'> {
  const [, epoch = '1', arm, after = '0'] = /^(\d+)(?:([cs])([0-9a-z]*))?$/u.exec(part ?? '1') ?? [];
  const rollout = revision + (arm === 's' ? parseInt(after, 36) : 0);
  return {
    epoch: Number(epoch),
    assignment: arm === undefined ? undefined : { rollout, arm: arm === 'c' ? 'candidate' : 'stable' },
  };
}

function base36(value: number): string {
  return value.toString(36);
}

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
