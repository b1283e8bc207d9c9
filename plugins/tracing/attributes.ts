/**
 * The attributes of spans, named after OpenTelemetry's semantic conventions. No other attribute leaves the process.
 *
 * Problem: instrumentation of a framework records paths and messages, which may contain client data: a session id, a text.
 * Rule: closed by default. A span is exported with the attributes of this list, without events or messages, under the name of its route. A
 * prompt appears by its names, version and digest, never by its text.
 * Example: a read of the system prompt has `feature_flag.key: coach` and `feature_flag.result.variant: 2.0.0`.
 *
 * Like a feature flag, the registry decides which variant a caller gets. So `feature_flag.*` has the pack (the flag), the version (the
 * variant), the channel (the set) and the revision (the version of the rules). While a rollout runs, `feature_flag.result.reason` is `split`
 * if the subject decided, and `default` if the request named none. The subject itself (`feature_flag.context.id`) is left out: it may stand
 * for a person. Tools for language models read `gen_ai.prompt.name`.
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
  ATTR_FEATURE_FLAG_RESULT_REASON,
  ATTR_FEATURE_FLAG_RESULT_VARIANT,
  ATTR_FEATURE_FLAG_SET_ID,
  ATTR_FEATURE_FLAG_VERSION,
  FEATURE_FLAG_RESULT_REASON_VALUE_DEFAULT,
  FEATURE_FLAG_RESULT_REASON_VALUE_SPLIT,
} from '@opentelemetry/semantic-conventions/incubating';
import type { AnswerAssignment, AnswerOrigin } from '../answer-origin.ts';
import type { StoreOperation } from '../observed-store.ts';

export { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';

/** From the conventions for generative AI, which have no npm package. */
const ATTR_GEN_AI_PROMPT_NAME = 'gen_ai.prompt.name';
/** The operationId of the request. The conventions have no name for it. */
const ATTR_OPERATION = 'prompt_registry.operation';
/** The digest of the version in the response. The conventions have no name for it. */
const ATTR_DIGEST = 'prompt_registry.digest';
/** The arm and the rollout that decided. The conventions have names for a flag and its variant only. */
const ATTR_ARM = 'prompt_registry.arm';
const ATTR_ROLLOUT = 'prompt_registry.rollout';
/** `@fastify/otel` sets this on spans that are not a request's. */
const HOOK_NAME = 'hook.name';

/** All that leaves the process; docs/observability/README.md lists them. */
export const EXPORTED: ReadonlySet<string> = new Set([
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_ROUTE,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_DB_OPERATION_NAME,
  ATTR_OPERATION,
  ATTR_DIGEST,
  ATTR_ARM,
  ATTR_ROLLOUT,
  ATTR_FEATURE_FLAG_KEY,
  ATTR_FEATURE_FLAG_PROVIDER_NAME,
  ATTR_FEATURE_FLAG_RESULT_REASON,
  ATTR_FEATURE_FLAG_RESULT_VARIANT,
  ATTR_FEATURE_FLAG_SET_ID,
  ATTR_FEATURE_FLAG_VERSION,
  ATTR_GEN_AI_PROMPT_NAME,
]);

/** The attributes for the version that the response comes from. */
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

/** The attributes for the arm that the response comes from. */
export function assignmentAttributes({ rollout, arm, hasSubject }: AnswerAssignment): Attributes {
  return {
    [ATTR_FEATURE_FLAG_RESULT_REASON]: hasSubject
      ? FEATURE_FLAG_RESULT_REASON_VALUE_SPLIT
      : FEATURE_FLAG_RESULT_REASON_VALUE_DEFAULT,
    [ATTR_ARM]: arm,
    [ATTR_ROLLOUT]: rollout,
  };
}

/** The attributes for the requested operation. */
export function operationAttributes(operation: string): Attributes {
  return { [ATTR_OPERATION]: operation };
}

/** The attributes for a call of the store. */
export function storeAttributes(operation: StoreOperation): Attributes {
  return { [ATTR_DB_OPERATION_NAME]: operation };
}

/**
 * Whether a span is reported: those of requests and of store calls are. For a 404, `@fastify/otel` also makes a span for the handler, and no
 * option turns that off.
 */
export function isReported({ attributes }: ReadableSpan): boolean {
  return !(HOOK_NAME in attributes);
}

/**
 * The status, without a message. An error of the client is not an error of the server: the conventions for HTTP ("Status") leave server
 * spans unset below 500, but `@fastify/otel` sets an error whenever something was thrown.
 */
function statusOf({ attributes, status: { code } }: ReadableSpan): SpanStatus {
  const response = attributes[ATTR_HTTP_RESPONSE_STATUS_CODE];
  return { code: typeof response === 'number' && response < 500 ? SpanStatusCode.UNSET : code };
}

/** The span with its exported attributes only. */
export function redacted(span: ReadableSpan): ReadableSpan {
  const attributes = Object.fromEntries(Object.entries(span.attributes).filter(([name]) => EXPORTED.has(name)));
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
