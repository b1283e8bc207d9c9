/**
 * Counts what was served: reads and session starts, by version, and by arm while a rollout runs.
 *
 * Problem: a rollout is watched by what each arm served, and clients whose reads name no subject never get the candidate.
 * Rule: arms have counters of their own. As a label of the reads, the arm would double every series. An origin is the same object until
 * its pointer moves or its rollout ends, so its series are looked up once. A subject is never a label.
 * Example: with a share of 10 %, a tenth of `prompt_registry_assignments_total` has the arm `candidate`.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Registry as Register } from 'prom-client';
import { planIn, type Registry } from '../../registry/index.ts';
import type { AnswerAssignment, AnswerOrigin } from '../answer-origin.ts';
import { BoundedCounts, type Count } from './bounded-counts.ts';
import { rolloutsOf, type ChannelRef } from './channels.ts';

/** Counts what is special about the responses of an operation. */
type CountSpecial = (request: FastifyRequest, reply: FastifyReply) => void;

/** The kind of each read. No other operation reads the prompts of a pointer or a session. */
const KINDS: Readonly<Record<string, string>> = {
  getActivePack: 'pack',
  getChannel: 'channel',
  getSystemPrompt: 'system',
  listStyles: 'styles',
  getStylePrompt: 'style',
  getCoachSession: 'session',
};

interface VersionRef {
  readonly pack: string;
  readonly version: string;
}

interface Bounds {
  /** The maximum number of series of each metric. */
  readonly most: number;
  readonly register: Register;
}

export class Served {
  readonly #reads: BoundedCounts<'pack' | 'version' | 'kind' | 'result'>;
  readonly #sessions: BoundedCounts<'pack' | 'version'>;
  readonly #assignments: BoundedCounts<'pack' | 'channel' | 'kind' | 'arm'>;
  readonly #withoutSubject: BoundedCounts<'pack' | 'channel'>;

  constructor(registry: Registry, bounds: Bounds) {
    const ofVersions = {
      ...bounds,
      growing: ['pack', 'version'],
      isWanted: (labels: VersionRef) => isServed(registry, labels),
    } as const;
    this.#reads = new BoundedCounts({
      name: 'prompt_registry_reads_total',
      help: 'Reads of prompts, by kind and by whether the caller already had the content.',
      labelNames: ['pack', 'version', 'kind', 'result'],
      ...ofVersions,
    });
    this.#sessions = new BoundedCounts({
      name: 'prompt_registry_sessions_started_total',
      help: 'Coach sessions started, by the version they are pinned to.',
      labelNames: ['pack', 'version'],
      ...ofVersions,
    });
    const isRunning = (channel: ChannelRef) => planIn(registry.current, channel)?.rollout !== undefined;
    const ofRollouts = { ...bounds, growing: ['pack', 'channel'], isWanted: isRunning } as const;
    this.#assignments = new BoundedCounts({
      name: 'prompt_registry_assignments_total',
      help: 'Reads and session starts that a rollout decided, by the arm that they got.',
      labelNames: ['pack', 'channel', 'kind', 'arm'],
      ...ofRollouts,
    });
    this.#withoutSubject = new BoundedCounts({
      name: 'prompt_registry_reads_without_subject_total',
      help: 'Reads while a rollout runs that named no subject, so they got the stable version.',
      labelNames: ['pack', 'channel'],
      ...ofRollouts,
    });
    this.#expectRollouts(registry);
    registry.onChange((events) => {
      if (events.length === 0 || events.some(({ type }) => type === 'rollout-started')) this.#expectRollouts(registry);
    });
  }

  /** What to count of the responses of an operation, besides their number and duration. */
  countOf(operation: string): CountSpecial | undefined {
    const kind = KINDS[operation];
    if (kind !== undefined) return this.#countReads(kind);
    return operation === 'startCoachSession' ? (request) => this.#countSession(request) : undefined;
  }

  /** Series exist before the first read of a rollout, so that it is an increase. */
  #expectRollouts(registry: Registry): void {
    for (const { pack, channel } of rolloutsOf(registry)) {
      for (const kind of ['read', 'session'])
        for (const arm of ['stable', 'candidate']) this.#assignments.of({ pack, channel, kind, arm });
      this.#withoutSubject.of({ pack, channel });
    }
  }

  #countReads(kind: string): CountSpecial {
    const known = new WeakMap<AnswerOrigin, ReadCounts>();
    return ({ origin, assignment }, { statusCode }) => {
      if (origin === null) return; // refused before anything was read
      let counts = known.get(origin);
      if (counts === undefined) known.set(origin, (counts = this.#readCountsOf(origin, kind)));
      (statusCode === 304 ? counts.notModified : counts.sent).value += 1;
      if (assignment === null) return;
      if (counts.rollout?.id !== assignment.rollout) counts.rollout = this.#rolloutCountsOf(origin, assignment);
      (assignment.hasSubject ? counts.rollout.assigned : counts.rollout.withoutSubject).value += 1;
    };
  }

  #readCountsOf({ pack, version }: AnswerOrigin, kind: string): ReadCounts {
    return {
      sent: this.#reads.of({ pack, version, kind, result: 'sent' }),
      notModified: this.#reads.of({ pack, version, kind, result: 'not_modified' }),
      rollout: undefined,
    };
  }

  #rolloutCountsOf({ pack, channel }: AnswerOrigin, { rollout: id, arm }: AnswerAssignment): RolloutCounts {
    const assigned = this.#assignments.of({ pack, channel, kind: 'read', arm });
    return { id, assigned, withoutSubject: this.#withoutSubject.of({ pack, channel }) };
  }

  #countSession({ origin, assignment }: FastifyRequest): void {
    if (origin === null) return;
    const { pack, channel, version } = origin;
    this.#sessions.of({ pack, version }).value += 1;
    if (assignment !== null) this.#assignments.of({ pack, channel, kind: 'session', arm: assignment.arm }).value += 1;
  }
}

/** The series of the reads from one origin. */
interface ReadCounts {
  /** The content was sent. */
  readonly sent: Count<'pack' | 'version' | 'kind' | 'result'>;
  /** The caller already had it. */
  readonly notModified: Count<'pack' | 'version' | 'kind' | 'result'>;
  /** Of the last rollout that gave this origin: it gives an origin to one arm only. */
  rollout: RolloutCounts | undefined;
}

interface RolloutCounts {
  readonly id: number;
  readonly assigned: Count<'pack' | 'channel' | 'kind' | 'arm'>;
  readonly withoutSubject: Count<'pack' | 'channel'>;
}

/** Whether a channel of the pack serves the version now, to everybody or to an arm. */
function isServed({ current }: Registry, { pack, version }: VersionRef): boolean {
  for (const { activePack, rollout } of current.views.get(pack)?.values() ?? [])
    if (activePack.version === version || rollout?.candidate.activePack.version === version) return true;
  return false;
}
