/** Reads the settings that have a unit or a form of their own: durations, sizes, proxies, origins, headers, a pinned version. */
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { isIP } from 'node:net';
import { Value } from '@sinclair/typebox/value';
import { PackName, Version } from '../registry/index.ts';

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** In milliseconds. */
export const LONGEST_DURATION = 365 * SECONDS.d * 1000;

/** Milliseconds of e.g. `24h`. */
export function durationOf(text: string): number {
  const unit = text.at(-1) as keyof typeof SECONDS;
  return parseInt(text, 10) * (SECONDS[unit] ?? 1) * 1000;
}

/** Bytes of e.g. `1mb`. */
export function sizeOf(text: string): number {
  return parseInt(text, 10) * (text.endsWith('mb') ? 1024 * 1024 : 1024);
}

/** Whether to trust every proxy, or which ones. */
export function trustOf(value: string): boolean | string {
  if (value === 'on' || value === 'off') return value === 'on';
  return value;
}

/** An address, a range, or the name of a range. */
export function isProxy(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [address = '', prefix = '1', ...more] = text.split('/');
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  return more.length === 0 && /^[1-9][0-9]{0,2}$/u.test(prefix) && Number(prefix) <= bits;
}

/** An origin as a browser sends it (https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin); undefined if the text is not an origin. */
export function originOf(text: string): string | undefined {
  const [, authority] = /^https?:\/\/([^/?#\\\s@*]+)$/iu.exec(text) ?? [];
  return authority !== undefined && URL.canParse(text) ? new URL(text).origin : undefined;
}

/** Reads headers in the form of W3C Baggage (https://opentelemetry.io/docs/specs/otel/protocol/exporter); undefined if they are not valid. */
export function headersOf(text: string): Readonly<Record<string, string>> | undefined {
  const headers: Record<string, string> = {};
  for (const pair of text.split(',').map((each) => each.trim())) {
    if (pair === '') continue;
    const [, name = '', value = ''] = /^([^=\s]+)\s*=\s*(.*)$/u.exec(pair) ?? [];
    try {
      const decoded = decodeURIComponent(value);
      validateHeaderName(name);
      validateHeaderValue(name, decoded);
      headers[name.toLowerCase()] = decoded;
    } catch {
      return undefined;
    }
  }
  return Object.freeze(headers);
}

export interface PinnedVersion {
  readonly pack: string;
  readonly version: string;
}

/** Reads e.g. `coach@1.0.0`; undefined if it is not of this form. */
export function pinOf(text: string): PinnedVersion | undefined {
  const [pack = '', version = '', ...more] = text.split('@');
  return more.length === 0 && Value.Check(PackName, pack) && Value.Check(Version, version)
    ? Object.freeze({ pack, version })
    : undefined;
}
