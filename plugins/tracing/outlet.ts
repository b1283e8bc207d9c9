/**
 * The way out for spans: a collector of OpenTelemetry, over HTTP, in batches.
 *
 * Problem: a collector that is away or hangs must cost nothing but its spans.
 * Rule: what waits is bounded, one batch is under way at a time, and what does not fit is dropped. A fault is logged when it begins and
 * when it ends, not per batch.
 * Example: the collector is restarted; one line says that spans are lost, another that they are taken again.
 */
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import type { FastifyBaseLogger } from 'fastify';
import { messageOf } from '../../registry/index.ts';
import { fitToLeave, isTold } from './attributes.ts';

/** How long one batch may take, retries included, in milliseconds. */
const PATIENCE = 2000;

export interface OutletOptions {
  /** Of the collector; spans go to `/v1/traces` below it. */
  readonly endpoint: string;
  readonly log: FastifyBaseLogger;
  /** Between two batches, in milliseconds; 5000 where not given. */
  readonly pause?: number;
}

/** Batches spans and sends them, each as it may leave. */
export function outlet({ endpoint, log, pause = 5000 }: OutletOptions): BatchSpanProcessor {
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/u, '')}/v1/traces`,
    timeoutMillis: PATIENCE,
    concurrencyLimit: 1,
  });
  return new ToldSpans({
    exporter: new Exporter(exporter, log),
    scheduledDelayMillis: pause,
    exportTimeoutMillis: 2 * PATIENCE,
  });
}

/** What is not told of takes no place among what waits. */
class ToldSpans extends BatchSpanProcessor {
  override onEnd(span: ReadableSpan): void {
    if (isTold(span)) super.onEnd(span);
  }
}

class Exporter implements SpanExporter {
  readonly #inner: SpanExporter;
  readonly #log: FastifyBaseLogger;
  #away = false;

  constructor(inner: SpanExporter, log: FastifyBaseLogger) {
    this.#inner = inner;
    this.#log = log;
  }

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    this.#inner.export(spans.map(fitToLeave), (result) => {
      if (result.error !== undefined && !this.#away)
        this.#log.warn(
          { reason: messageOf(result.error) },
          'The collector does not take spans; they are lost until it does.',
        );
      if (result.error === undefined && this.#away) this.#log.info('The collector takes spans again.');
      this.#away = result.error !== undefined;
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.#inner.shutdown();
  }
}
