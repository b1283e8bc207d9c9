/**
 * Reads and writes the trace of a request: https://www.w3.org/TR/trace-context/#traceparent-header
 *
 * Only the ids, which are hexadecimal, are read from a request. `tracestate` and baggage are ignored: they may contain anything.
 */
import { isSpanContextValid, trace, type TextMapPropagator } from '@opentelemetry/api';

const HEADER = 'traceparent';
/** A future version may have more fields after the flags. */
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
