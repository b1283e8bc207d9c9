/**
 * What spans say, in the words of OpenTelemetry's semantic conventions: all names stand here, and nothing else leaves the process.
 *
 * Problem: what instruments a framework writes down paths and messages, and they may hold what a client sent: a session id, a text.
 * Rule: closed by default. A span leaves with the attributes of this list; without events, without messages, under the name of its
 * route. A prompt is told by its names, version and digest, never by its text.
 * Example: a read of the system prompt says `feature_flag.key: coach`, `feature_flag.result.variant: 2.0.0`.
 *
 * A registry of prompts decides which variant a caller gets, as a feature flag does: `feature_flag.*` says pack (the flag), version (the
 * variant), channel (the set) and revision (the version of the rules). `gen_ai.prompt.name` names the prompt to tools for language models.
 */
import { SpanStatusCode, type Attributes, type SpanStatus } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import {
  ATTR_DB_OPERATION_NAME,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
} from '@opentelemetry/semantic-conventions';
import {
  ATTR_FEATURE_FLAG_KEY,
  ATTR_FEATURE_FLAG_PROVIDER_NAME,
  ATTR_FEATURE_FLAG_RESULT_VARIANT,
  ATTR_FEATURE_FLAG_SET_ID,
  ATTR_FEATURE_FLAG_VERSION,
} from '@opentelemetry/semantic-conventions/incubating';
import type { AnswerOrigin } from '../answer-origin.ts';
import type { StoreOperation } from '../observed-store.ts';

export { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';

/** Of the conventions for generative AI, which have moved to a repository of their own, without a package. */
const ATTR_GEN_AI_PROMPT_NAME = 'gen_ai.prompt.name';
/** Which operation of the document was asked for; the conventions have no name for that. */
const ATTR_OPERATION = 'prompt_registry.operation';
/** The digest of what was answered; the conventions have no name for that. */
const ATTR_DIGEST = 'prompt_registry.digest';
/** What `@fastify/otel` says of spans that are no request's. */
const HOOK_NAME = 'hook.name';

const LEAVES: ReadonlySet<string> = new Set([
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_ROUTE,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_DB_OPERATION_NAME,
  ATTR_OPERATION,
  ATTR_DIGEST,
  ATTR_FEATURE_FLAG_KEY,
  ATTR_FEATURE_FLAG_PROVIDER_NAME,
  ATTR_FEATURE_FLAG_RESULT_VARIANT,
  ATTR_FEATURE_FLAG_SET_ID,
  ATTR_FEATURE_FLAG_VERSION,
  ATTR_GEN_AI_PROMPT_NAME,
]);

/** What a span says of the version that was answered from. */
export function attributesOf({ pack, channel, version, digest, revision }: AnswerOrigin): Attributes {
  return {
    [ATTR_FEATURE_FLAG_PROVIDER_NAME]: 'prompt-registry',
    [ATTR_FEATURE_FLAG_KEY]: pack,
    [ATTR_FEATURE_FLAG_SET_ID]: channel,
    [ATTR_FEATURE_FLAG_RESULT_VARIANT]: version,
    [ATTR_FEATURE_FLAG_VERSION]: String(revision),
    [ATTR_GEN_AI_PROMPT_NAME]: pack,
    [ATTR_DIGEST]: digest,
  };
}

/** What a span says of the operation that was asked for. */
export function operationAttributes(operation: string): Attributes {
  return { [ATTR_OPERATION]: operation };
}

/** What a span says of a call of the store. */
export function storeAttributes(operation: StoreOperation): Attributes {
  return { [ATTR_DB_OPERATION_NAME]: operation };
}

/**
 * Whether a span is of something that we tell of: a request, a call of the store. `@fastify/otel` makes one of its own, below the
 * request's, of the handler of addresses that lead nowhere, and no option turns that off.
 */
export function isTold({ attributes }: ReadableSpan): boolean {
  return !(HOOK_NAME in attributes);
}

/**
 * How it went, without a message. What a caller did wrong is no error of the server: conventions for HTTP, "Status", leave spans of servers
 * unset below 500; `@fastify/otel` sets them wherever something was thrown.
 */
function statusOf({ attributes, status: { code } }: ReadableSpan): SpanStatus {
  const answer = attributes[ATTR_HTTP_RESPONSE_STATUS_CODE];
  return { code: typeof answer === 'number' && answer < 500 ? SpanStatusCode.UNSET : code };
}

/** A span as it may leave the process. */
export function fitToLeave(span: ReadableSpan): ReadableSpan {
  const attributes = Object.fromEntries(Object.entries(span.attributes).filter(([name]) => LEAVES.has(name)));
  const { name, kind, parentSpanContext, startTime, endTime, duration, ended, resource, instrumentationScope } = span;
  return {
    name,
    kind,
    startTime,
    endTime,
    duration,
    ended,
    resource,
    instrumentationScope,
    attributes,
    spanContext: () => span.spanContext(),
    ...(parentSpanContext !== undefined && { parentSpanContext }),
    status: statusOf(span),
    links: [],
    events: [],
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}
