/**
 * The trace that a request belongs to, as its header says: https://www.w3.org/TR/trace-context/#traceparent-header
 *
 * Of what a client sends only the ids are taken, which are hexadecimal; `tracestate` and baggage, which may hold anything, are left.
 */
import { isSpanContextValid, trace, type TextMapPropagator } from '@opentelemetry/api';

const HEADER = 'traceparent';
/** A version that is not known yet may have more behind the flags. */
const PATTERN = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/u;

export const traceParent: TextMapPropagator = {
  fields: () => [HEADER],
  inject: (context, carrier, setter) => {
    const span = trace.getSpanContext(context);
    if (span === undefined || !isSpanContextValid(span)) return;
    setter.set(carrier, HEADER, `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`);
  },
  extract: (context, carrier, getter) => {
    const [, traceId = '', spanId = '', flags = ''] =
      PATTERN.exec([getter.get(carrier, HEADER) ?? ''].flat()[0] ?? '') ?? [];
    const span = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
    return isSpanContextValid(span) ? trace.setSpanContext(context, span) : context;
  },
};
