/**
 * What is wrong with a request that does not match its schema, in words for people.
 *
 * Problem: the validator says "must NOT have fewer than 1 characters" and "querystring".
 * Rule: each fault names the parameter or the member, and says what is right. An unknown keyword keeps the validator's words.
 * Example: `?limit=0` gives `The query is not valid: "limit" must be at least 1.`
 */
import type { TSchema } from '@sinclair/typebox';
import type { ErrorObject } from 'ajv';
import type { FastifySchemaValidationError } from 'fastify';
import { brokenName, brokenPattern } from '../../registry/index.ts';

/** A fault of the body has a pointer; any other has the name of a parameter. */
export interface SchemaFault {
  readonly pointer?: string;
  readonly parameter?: string;
  readonly detail: string;
}

const PARTS: Readonly<Record<string, string>> = { querystring: 'query', params: 'path' };

/** @param part the part of the request, as Fastify calls it. Default: the body */
export function faultsIn(
  faults: readonly FastifySchemaValidationError[],
  part = 'body',
): { readonly detail: string; readonly errors: readonly SchemaFault[] } {
  const errors = withoutBranches(faults).map((fault) => faultOf(fault, part === 'body'));
  return {
    detail: `The ${PARTS[part] ?? part} is not valid: ${errors.map(({ detail }) => detail).join(' ')}`,
    errors,
  };
}

/** Of a value that may have several types: what is wrong with it as the type that it has, or that it has none of them. */
function withoutBranches(faults: readonly FastifySchemaValidationError[]): readonly FastifySchemaValidationError[] {
  const isType = ({ keyword }: FastifySchemaValidationError) => keyword === 'anyOf' || keyword === 'type';
  const unions = Map.groupBy(faults, ({ instancePath }) => instancePath);
  return faults.filter((fault) => {
    const same = unions.get(fault.instancePath) ?? [];
    if (!same.some(({ keyword }) => keyword === 'anyOf')) return true;
    return same.every(isType) ? fault.keyword === 'anyOf' : !isType(fault);
  });
}

function faultOf(
  {
    instancePath,
    message = 'is not valid',
    params,
    keyword,
    parentSchema,
    data,
  }: FastifySchemaValidationError & Pick<ErrorObject, 'parentSchema' | 'data'>,
  inBody: boolean,
): SchemaFault {
  const named = params as Params;
  const member = named.additionalProperty ?? named.missingProperty;
  const pointer = member === undefined ? instancePath : `${instancePath}/${member}`;
  const subject = inBody ? pointer : pointer.replace(/^\//u, '');
  const schema = parentSchema as TSchema | undefined;
  const detail =
    keyword === 'pattern' && schema !== undefined
      ? brokenPattern(schema, data, quoted(subject))
      : named.additionalProperty !== undefined && schema?.['patternProperties'] !== undefined
        ? brokenName(schema, named.additionalProperty)
        : detailOf(keyword, member ?? subject, message, { ...named, description: schema?.description });
  return inBody ? { pointer: subject, detail } : { parameter: subject, detail };
}

/** What the validator adds to a fault, by keyword. */
interface Params {
  readonly additionalProperty?: string;
  readonly missingProperty?: string;
  readonly allowedValues?: readonly string[];
  readonly limit?: number;
  readonly type?: string;
  readonly format?: string;
  readonly description?: string | undefined;
}

const TYPES: Readonly<Record<string, string>> = {
  integer: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

/** The rest of a sentence, by keyword; undefined if the validator's own words are better. */
const WORDS: Readonly<Record<string, (params: Params) => string | undefined>> = {
  additionalProperties: () => 'is unknown. Unknown members are refused, not ignored',
  required: () => 'is missing',
  enum: ({ allowedValues }) => allowedValues && `must be one of ${allowedValues.join(', ')}`,
  format: ({ format }) => (format === 'date-time' ? 'must be an RFC 3339 time, e.g. 2026-01-31T09:30:00Z' : undefined),
  type: ({ type = '' }) => TYPES[type] && `must be ${TYPES[type]}`,
  minLength: ({ limit }) => (limit === 1 ? 'must not be empty' : `must have at least ${limit} characters`),
  maxLength: ({ limit }) => `must have at most ${limit} characters`,
  minItems: ({ limit }) => (limit === 1 ? 'must not be empty' : `must have at least ${limit} items`),
  maxItems: ({ limit }) => `must have at most ${limit} items`,
  minimum: ({ limit }) => `must be at least ${limit}`,
  maximum: ({ limit }) => `must be at most ${limit}`,
  maxProperties: ({ limit }) => `must have at most ${limit} members`,
  anyOf: ({ description }) => description && `is not valid. ${description.replace(/\.$/u, '')}`,
};

function detailOf(keyword: string, subject: string, message: string, params: Params): string {
  const words = Object.hasOwn(WORDS, keyword) ? WORDS[keyword]?.(params) : undefined;
  return `${subject === '' ? 'The value' : quoted(subject)} ${words ?? message}.`;
}

function quoted(subject: string): string {
  return `"${subject.length > 200 ? `${subject.slice(0, 200)}…` : subject}"`;
}
