/**
 * Sends spans to an OpenTelemetry collector, over HTTP and in batches.
 *
 * Problem: if the collector is down or hangs, only spans may be lost.
 * Rule: the queue is bounded, one batch is sent at a time, and spans that do not fit are dropped. A failure is logged when it begins and when
 * it ends, not for each batch.
 * Example: the collector restarts. One line says that spans are lost, another one that the collector accepts them again.
 */
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import type { FastifyBaseLogger } from 'fastify';
import { messageOf } from '../../registry/index.ts';
import { isReported, redacted } from './attributes.ts';

/** Timeout of one batch, retries included, in milliseconds. */
const TIMEOUT = 2000;

export interface ExporterOptions {
  /** URL of the collector. Spans go to `/v1/traces` below it. */
  readonly endpoint: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly log: FastifyBaseLogger;
  /** Time between two batches, in milliseconds; default: 5000. */
  readonly pause?: number;
}

/** Sends spans in batches, each with the allowed attributes only. */
export function exporterTo({ endpoint, headers, log, pause = 5000 }: ExporterOptions): BatchSpanProcessor {
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/u, '')}/v1/traces`,
    ...(headers !== undefined && { headers }),
    timeoutMillis: TIMEOUT,
    concurrencyLimit: 1,
  });
  return new ReportedSpans({
    exporter: new LoggingExporter(exporter, log),
    scheduledDelayMillis: pause,
    exportTimeoutMillis: 2 * TIMEOUT,
  });
}

/** Keeps spans that are not reported out of the queue. */
class ReportedSpans extends BatchSpanProcessor {
  override onEnd(span: ReadableSpan): void {
    if (isReported(span)) super.onEnd(span);
  }
}

class LoggingExporter implements SpanExporter {
  readonly #inner: SpanExporter;
  readonly #log: FastifyBaseLogger;
  #failing = false;

  constructor(inner: SpanExporter, log: FastifyBaseLogger) {
    this.#inner = inner;
    this.#log = log;
  }

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    this.#inner.export(spans.map(redacted), (result) => {
      if (result.error !== undefined && !this.#failing)
        this.#log.warn(
          { reason: messageOf(result.error) },
          'The collector does not accept spans. Spans are lost until it does.',
        );
      if (result.error === undefined && this.#failing) this.#log.info('The collector accepts spans again.');
      this.#failing = result.error !== undefined;
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.#inner.shutdown();
  }
}
