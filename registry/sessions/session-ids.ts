/**
 * Coach sessions: the id is a signed token that says where the session is pinned, so that any instance can read it and no
 * database is asked (SPEC R8).
 *
 * Problem: an id has at most 200 characters, while a pack's, a channel's and a style's name may have 63 each.
 * Rule: the token names the channel by 48 bits of a hash, the version by 96 bits of its digest, the style by its place in the
 * version (which never changes), beside the pointer's revision, the lifetime and 64 random bits. It is a JWT (RFC 7519),
 * HS256, whose header names the signing key, so that keys can rotate.
 * Example: claims `{"exp":1767225600,"p":"kQ3xV0aB.9f2c…16.7.0.1e40.q83vEf…"}`.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createDecoder, createSigner, createVerifier } from 'fast-jwt';
import { RegistryError } from '../errors.ts';
import type { PackContent } from '../model.ts';
import {
  listed,
  packIn,
  standIn,
  versionIn,
  type ChannelView,
  type Origin,
  type PackState,
  type Snapshot,
  type VersionRecord,
} from '../state/snapshot.ts';
import type { SessionKey } from '../log/store.ts';

/** A session as it is answered. */
export interface Session {
  readonly sessionId: string;
  readonly startedAt: string;
  readonly expiresAt: string;
  readonly promptPack: Origin;
  readonly prompt: {
    readonly system: string;
    readonly style: { readonly id: string; readonly title: string; readonly text: string };
  };
  /** The channel is at another version by now. */
  readonly superseded: boolean;
  /** Where it was pinned, if that version was revoked since. */
  readonly movedFrom?: { readonly version: string; readonly styleId: string };
}

/** What a valid session id says. */
export interface Pin {
  readonly record: VersionRecord;
  readonly channel: string;
  readonly revision: number;
  readonly styleIndex: number;
  readonly startedAt: string;
  readonly expiresAt: string;
}

/** The longest session id there is, in characters. */
export const SESSION_ID_LENGTH = 200;

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
  /** By handle. */
  readonly #versions = new Map<string, string>();

  /**
   * @param keys all session keys, the newest last; the newest signs, all verify
   * @param ttl how long a session may run, in milliseconds
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
   * Starts a session on what is active in the view.
   *
   * @param now milliseconds since the epoch
   * @throws RegistryError `style-not-supported`, with the styles the version supports
   */
  start(view: ChannelView, styleId: string | undefined, now: number): Session {
    const { pack, channel, version, digest, revision, styles, defaultStyle, system } = view.activePack;
    const wanted = styleId ?? defaultStyle;
    const styleIndex = styles.findIndex(({ id }) => id === wanted);
    const style = styles[styleIndex];
    if (style === undefined) {
      const supportedStyles = styles.map(({ id }) => id);
      throw new RegistryError(
        'style-not-supported',
        `Version ${version} of pack "${pack}" has no style "${wanted}". Start with one of: ${listed(supportedStyles)}; or name none to get "${defaultStyle}".`,
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
      randomBytes(8).toString('base64url'),
    ];
    return {
      sessionId: this.#sign({ exp: expires, p: claims.join('.') }),
      startedAt: time(started),
      expiresAt: time(expires),
      promptPack: { pack, channel, version, digest, revision },
      prompt: { system, style },
      superseded: false,
    };
  }

  /**
   * Reads a session id.
   *
   * @param now milliseconds since the epoch
   * @throws RegistryError `session-not-found` where it is forged, cut, expired or of another registry
   */
  read(snapshot: Snapshot, sessionId: string, now: number): Pin {
    const claims = this.#verified(sessionId);
    const [channelPart = '', versionPart = '', revision = '', style = '', ttl = ''] = claims?.p.split('.') ?? [];
    const place = this.#placeOf(snapshot, channelPart);
    const record = place && this.#recordOf(snapshot.packs.get(place.pack), versionPart);
    if (claims === undefined || place === undefined || record === undefined || claims.exp * 1000 <= now) {
      throw new RegistryError(
        'session-not-found',
        'There is no such session: the id was cut or changed, is of another registry, or has expired. Start a new one.',
      );
    }
    return {
      record,
      channel: place.channel,
      revision: parseInt(revision, 36),
      styleIndex: parseInt(style, 36),
      startedAt: time(claims.exp - parseInt(ttl, 36)),
      expiresAt: time(claims.exp),
    };
  }

  /** The revision of the log that a session's pin is from; undefined where the id is none of ours. */
  revisionOf(sessionId: string): number | undefined {
    const revision = this.#verified(sessionId)?.p.split('.')[2];
    return revision === undefined ? undefined : parseInt(revision, 36);
  }

  #verified(sessionId: string): { exp: number; p: string } | undefined {
    if (sessionId.length > SESSION_ID_LENGTH) return undefined;
    // base64url leaves bits of the last character unused: of the spellings of a signature, one was given out.
    const signature = sessionId.slice(sessionId.lastIndexOf('.') + 1);
    if (Buffer.from(signature, 'base64url').toString('base64url') !== signature) return undefined;
    try {
      const { kid } = (decodeHeader(sessionId) as { header: { kid?: unknown } }).header;
      const verify = typeof kid === 'string' ? this.#verifiers.get(kid) : undefined;
      return verify?.(sessionId) as { exp: number; p: string } | undefined;
    } catch {
      return undefined; // whatever is wrong with a token, the answer is that there is no such session
    }
  }

  /** The version of that handle: looked for once, as a pack may have thousands. */
  #recordOf(state: PackState | undefined, handle: string): VersionRecord | undefined {
    const prefix = `sha256:${Buffer.from(handle, 'base64url').toString('hex')}`;
    const known = state?.versions.get(this.#versions.get(handle) ?? '');
    if (known?.digest.startsWith(prefix) === true) return known;
    const record = state?.versions.find(({ digest }) => digest.startsWith(prefix));
    if (record !== undefined) this.#versions.set(handle, record.version);
    return record;
  }

  #placeOf(snapshot: Snapshot, handle: string): { pack: string; channel: string } | undefined {
    const known = this.#channels.get(handle);
    if (known !== undefined) return known;
    for (const [pack, state] of snapshot.packs) {
      for (const channel of state.pointers.keys()) this.#channels.set(channelHandle(pack, channel), { pack, channel });
    }
    return this.#channels.get(handle);
  }
}

/**
 * The answer to a read of a pinned session (SPEC R8): from its pin, or, where that version was revoked, from its replacement,
 * followed to the end, or else from what is active; a style that the other version lacks becomes its default style.
 *
 * @param contentOf gives a version's texts
 * @throws RegistryError what `contentOf` rejects with
 */
export async function sessionOf(
  sessionId: string,
  pin: Pin,
  snapshot: Snapshot,
  contentOf: (record: VersionRecord) => Promise<PackContent>,
): Promise<Session> {
  const { channel, startedAt, expiresAt } = pin;
  const { record, revision, styleId, movedFrom } = served(pin, snapshot);
  const { pack, version, digest } = record;
  const content = await contentOf(record);
  const style = content.styles.find(({ id }) => id === styleId);
  if (style === undefined) throw new Error(`${pack} ${version} has no style "${styleId}" although its record says so.`);
  return {
    sessionId,
    startedAt,
    expiresAt,
    promptPack: { pack, channel, version, digest, revision },
    prompt: { system: content.system, style },
    superseded: snapshot.packs.get(pack)?.pointers.get(channel)?.version !== version,
    ...(movedFrom !== undefined && { movedFrom }),
  };
}

function served(
  pin: Pin,
  snapshot: Snapshot,
): { record: VersionRecord; revision: number; styleId: string; movedFrom?: Session['movedFrom'] } {
  const pinned = pin.record;
  const styleId = pinned.styles[pin.styleIndex]?.id ?? pinned.defaultStyle;
  if (pinned.revocation === undefined) return { record: pinned, revision: pin.revision, styleId };
  const state = packIn(snapshot, pinned.pack);
  const replacement = standIn(state, pinned);
  const active = state.pointers.get(pin.channel);
  const record = replacement ?? versionIn(state, active?.version ?? '');
  const revision = replacement === undefined ? (active?.revision ?? 0) : standsInSince(state, pinned);
  const kept = record.styles.some(({ id }) => id === styleId);
  return {
    record,
    revision,
    styleId: kept ? styleId : record.defaultStyle,
    movedFrom: { version: pinned.version, styleId },
  };
}

/** When what stands in for a version came to do so: at the last revocation on the way, as only what is not revoked can replace (SPEC R4). */
function standsInSince(state: PackState, revoked: VersionRecord): number {
  let since = 0;
  for (
    let record: VersionRecord | undefined = revoked;
    record?.revocation !== undefined && record.revocation.revision > since;
    record = state.versions.get(record.revocation.replacement ?? '')
  ) {
    since = record.revocation.revision;
  }
  return since;
}

function channelHandle(pack: string, channel: string): string {
  return createHash('sha256').update(`${pack}/${channel}`).digest('base64url').slice(0, 8);
}

function versionHandle(digest: string): string {
  return Buffer.from(digest.slice('sha256:'.length), 'hex').subarray(0, 12).toString('base64url');
}

function base36(value: number): string {
  return value.toString(36);
}

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
