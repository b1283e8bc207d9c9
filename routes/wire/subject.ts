/**
 * Whom a read is for, while a rollout runs: `?subject=`, or the header `Registry-Subject`, because proxies log addresses; and
 * `?attribute=name:value`, as often as needed.
 */
import type { FastifyRequest } from 'fastify';
import { Type } from '@sinclair/typebox';
import { ReadQuery } from '../../plugins/read-query.ts';
import {
  armFor,
  MOST_ATTRIBUTES,
  checkedFor,
  invalidInput,
  Subject,
  type ArmView,
  type AttributeTexts,
  type ChannelView,
} from '../../registry/index.ts';

/** The query parameters of a read that a rollout decides. */
export const subjectQuery = {
  subject: Type.Optional(Subject),
  attribute: Type.Optional(
    Type.Array(
      Type.String({
        maxLength: 264,
        pattern: '^[a-z][A-Za-z0-9]{0,62}:',
        description: 'A name of letters and digits that starts with a lower-case letter, a colon, and a value.',
        examples: ['country:de'],
      }),
      { maxItems: MOST_ATTRIBUTES, description: 'Facts about the subject, each name once.' },
    ),
  ),
};

interface SubjectQuery {
  readonly subject?: string;
  readonly attribute?: readonly string[];
}

/**
 * The arm of a channel that a request gets. If a rollout runs, the response will say which (`stamp.ts`).
 * @throws RegistryError `validation-failed`
 */
export function armOf(request: FastifyRequest & { readonly query: SubjectQuery }, view: ChannelView): ArmView {
  const subject = subjectOf(request);
  const { arm, assignment } = armFor(view, subject, attributesOf(request.query));
  if (assignment !== undefined) request.assignment = { ...assignment, hasSubject: subject !== undefined };
  return arm;
}

/** @throws RegistryError `validation-failed` */
function subjectOf({ headers, query }: FastifyRequest & { readonly query: SubjectQuery }): string | undefined {
  const named = headers['registry-subject'];
  if (named === undefined) return query instanceof ReadQuery ? query.subject : checkedFor(query).subject;
  if (query.subject !== undefined)
    throw invalidInput('The subject is given twice.', [
      { parameter: 'registry-subject', detail: 'Send the header or the query parameter, not both.' },
    ]);
  return checkedFor({ subject: decoded(named) }).subject;
}

/** @throws RegistryError `validation-failed` */
function attributesOf(query: SubjectQuery): AttributeTexts {
  if (query instanceof ReadQuery) return query.attributes;
  return checkedFor({ attributes: query.attribute && attributesIn(query.attribute) }).attributes;
}

/** A header holds ASCII, so the subject in it is percent-encoded (RFC 3986 section 2.1). @throws RegistryError `validation-failed` */
function decoded(header: string | string[]): string {
  try {
    return decodeURIComponent(String(header));
  } catch {
    throw invalidInput('The subject is not valid.', [
      { parameter: 'registry-subject', detail: 'Percent-encode it: a "%" is "%25", "ü" is "%C3%BC".' },
    ]);
  }
}

function attributesIn(pairs: readonly string[]): AttributeTexts {
  const attributes = new Map<string, string>();
  for (const pair of pairs) {
    const colon = pair.indexOf(':');
    const name = pair.slice(0, colon);
    if (attributes.has(name))
      throw invalidInput('An attribute is given twice.', [
        { parameter: 'attribute', detail: `"${name}" occurs more than once; send each name once.` },
      ]);
    attributes.set(name, pair.slice(colon + 1));
  }
  return Object.fromEntries(attributes);
}
