/** What every command is given: where to speak, whom to ask, and what was said on the command line for all of them. */
import { createRegistryClient, type RegistryClient } from '@prompt-registry/client';
import { findConnection, type Connection, type ConnectionOptions } from './connection.ts';
import type { ExitCode } from './exit.ts';
import type { Whereabouts } from './explain.ts';
import type { Io, Output } from './output.ts';

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
    this.where = { url, keySource };
    const limit = this.options.timeout === undefined ? timeout : this.options.timeout * 1000;
    return createRegistryClient({ url, key, timeout: Math.max(limit, atLeast), fetch: (request, init) => this.#fetch(request, init) });
  }

  /** The pack to work on: the one that is named, else the registry's default pack. */
  async pack(named: string | undefined): Promise<string> {
    const known = named ?? this.io.env['PROMPT_REGISTRY_PACK'];
    if (known !== undefined && known !== '') return known;
    const registry = await this.registry();
    return (await registry.ask((api) => api.GET('/v1/prompts/styles'))).data.pack;
  }

  /** An answer says of itself where it may be old. */
  async #fetch(request: Request, init?: RequestInit): Promise<Response> {
    const response = await fetch(request, init);
    const stale = response.headers.get('registry-stale');
    if (stale !== null && !this.#toldStale) {
      this.#toldStale = true;
      this.out.warn(`The service has not known for ${stale} s whether it is current: what it says may be old.`);
    }
    return response;
  }
}

/** What a command does; the exit code is 0 where it gives none. */
export type Handler<O, A extends readonly (string | undefined)[]> = (context: Context, options: O, ...args: A) => Promise<ExitCode | undefined>;

/** Makes the action of a command. */
export type Act = <O = object, A extends readonly (string | undefined)[] = []>(handler: Handler<O, A>) => (...given: unknown[]) => Promise<void>;
