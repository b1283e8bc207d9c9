/** What every command is given: where to speak, whom to ask, and what was said on the command line for all of them. */
import { createRegistryClient, RegistryFailure, type RegistryClient } from '@prompt-registry/client';
import { findConnection, type Connection, type ConnectionOptions } from './connection.ts';
import { wrongUsage, type Complaint, type ExitCode } from './exit.ts';
import type { Whereabouts } from './explain.ts';
import type { Io, Output } from './output.ts';
import { having } from './shape.ts';
import { name } from './values.ts';

/** Options that every command takes. */
export interface CommonOptions extends ConnectionOptions {
  readonly json?: boolean;
  readonly color: boolean;
  /** Seconds. */
  readonly timeout?: number;
}

export interface RegistryOptions {
  /** Milliseconds that an answer of this command may take, where `--timeout` was not given. */
  readonly timeout?: number;
  /** Milliseconds that it may take whatever was given. */
  readonly atLeast?: number;
}

/** Milliseconds that an answer may take. */
const USUAL_TIMEOUT = 5000;

export class Context {
  readonly io: Io;
  readonly out: Output;
  readonly options: CommonOptions;
  /** Where it went, once that is known. */
  where: Whereabouts | undefined;
  /** A change is under way: an interruption may come before it or after it. */
  sending = false;
  /** A change was made. */
  changed = false;
  /** The command that shows what became of a change. */
  look = 'status';
  /** It goes on until Ctrl-C. */
  endless = false;
  /** What is told where the answer cannot be written, as the answer says it alone and once. */
  onceOnly: Complaint | undefined;
  #connection: Promise<Connection> | undefined;
  #toldStale = false;

  constructor(io: Io, out: Output, options: CommonOptions) {
    this.io = io;
    this.out = out;
    this.options = options;
  }

  /** The registry to ask. @throws Complaint where there is no URL or no key */
  async registry({ timeout = USUAL_TIMEOUT, atLeast = 0 }: RegistryOptions = {}): Promise<RegistryClient> {
    this.#connection ??= findConnection(this.options, this.io);
    const { url, key, keySource } = await this.#connection;
    const [, keyId] = /^prk_([^_]+)_/u.exec(key) ?? [];
    this.where = { url, keySource, keyId };
    const limit = this.options.timeout === undefined ? timeout : this.options.timeout * 1000;
    return createRegistryClient({
      url,
      key,
      timeout: Math.max(limit, atLeast),
      fetch: (request, init) => this.#fetch(request, init),
    });
  }

  /**
   * The pack to work on: the one that is named, else the registry's default pack.
   * @param named with --pack
   * @param given as an argument
   */
  async pack(named: string | undefined, given?: string): Promise<string> {
    if (given !== undefined && named !== undefined && given !== named)
      throw wrongUsage(`Two packs are named: "${given}", and "${named}" with --pack.`);
    const known = given ?? named ?? this.#packOfEnvironment();
    if (known !== undefined) return known;
    const registry = await this.registry();
    return (await registry.ask((api) => api.GET('/v1/prompts/styles')).then(having({ pack: 'string' }))).data.pack;
  }

  #packOfEnvironment(): string | undefined {
    const { PROMPT_REGISTRY_PACK: pack = '' } = this.io.env;
    if (pack !== '' && pack.trim() === '')
      throw wrongUsage('PROMPT_REGISTRY_PACK is blank.', 'Name a pack in it, or unset it.');
    if (pack === '') return undefined;
    try {
      return name(pack);
    } catch (error) {
      throw wrongUsage(`PROMPT_REGISTRY_PACK names no pack: "${pack}". ${(error as Error).message}`);
    }
  }

  /** No redirect is followed, and no page is taken for an answer; an answer says of itself where it may be old. */
  async #fetch(request: Request, init?: RequestInit): Promise<Response> {
    const response = await fetch(request, { ...init, redirect: 'manual' });
    if ([301, 302, 303, 307, 308].includes(response.status)) {
      await response.body?.cancel();
      const to = response.headers.get('location');
      throw new RegistryFailure(
        'not-a-registry',
        `${new URL(request.url).origin} does not answer this itself, but redirects (${response.status})${to === null ? '' : ` to ${to}`}. No redirect is followed.`,
        { status: response.status },
      );
    }
    if (
      response.ok &&
      !/^(application\/json|text\/event-stream)\b/iu.test(response.headers.get('content-type') ?? '')
    ) {
      await response.body?.cancel();
      throw new RegistryFailure(
        'not-a-registry',
        `${new URL(request.url).origin} answered ${response.status} with what is no JSON: this is not the registry itself, but a proxy, another service or a wrong path.`,
        { status: response.status },
      );
    }
    const stale = response.headers.get('registry-stale');
    if (stale !== null && !this.#toldStale) {
      this.#toldStale = true;
      this.out.warn(`The service has not known for ${stale} s whether it is current: what it says may be old.`);
    }
    return response;
  }
}

/** What a command does; the exit code is 0 where it gives none. */
export type Handler<O, A extends readonly (string | undefined)[]> = (
  context: Context,
  options: O,
  ...args: A
) => Promise<ExitCode | undefined>;

/** Makes the action of a command. */
export type Act = <O = object, A extends readonly (string | undefined)[] = []>(
  handler: Handler<O, A>,
) => (...given: unknown[]) => Promise<void>;
