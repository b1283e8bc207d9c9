/**
 * A proxy in front of a real server that forwards all requests and answers unchanged, except those of one operation: there it deviates.
 *
 * It shows that a check can fail: the server keeps to the contract, and the proxy does not.
 * Example: `proxy.plant({ operation: 'getPack', what: 'a member is missing', plant: edited((body) => delete body['latest']) })`.
 */
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer, text } from 'node:stream/consumers';
import type { Test } from 'tap';
import { OPERATIONS } from '../http/openapi.ts';
import { stubServer } from '../http/stub-server.ts';

export interface ProxiedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface ProxiedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export type Body = Record<string, unknown>;
type Forward = (request: ProxiedRequest) => Promise<ProxiedAnswer>;

/** How the answers of an operation come to be wrong. */
export type Plant = (
  | { readonly answer: (request: ProxiedRequest, forward: Forward) => Promise<ProxiedAnswer> }
  /** The answer is right, but to another request. */
  | { readonly request: (request: ProxiedRequest) => ProxiedRequest }
  /** A stream has no end: it is changed message by message; undefined leaves one out. */
  | { readonly message: (text: string, count: number) => string | undefined }
) & {
  /** The operation that deviates. Default: the one whose checks must find it. */
  readonly at?: string;
};

export interface Deviation {
  /** Its operationId; `openapi` for the document that is served as JSON. */
  readonly operation: string;
  readonly what: string;
  readonly plant: Plant;
}

export interface DeviatingProxy {
  readonly address: string;
  /** From now on the operation deviates. Default: no deviation. */
  plant(deviation?: Deviation): void;
}

/** Of which answers an edit is. */
type Which = (answer: ProxiedAnswer, request: ProxiedRequest) => boolean;
export const successes: Which = ({ status }) => status < 300;
export const statusIs =
  (wanted: number): Which =>
  ({ status }) =>
    status === wanted;

/** Edits the JSON body of some answers: successes where nothing else is said. */
export function edited(edit: (body: Body, answer: ProxiedAnswer) => unknown, which: Which = successes): Plant {
  return replaced((answer) => {
    const body = JSON.parse(answer.body) as Body;
    edit(body, answer);
    return { ...answer, body: JSON.stringify(body) };
  }, which);
}

/** Replaces some answers: successes where nothing else is said. */
export function replaced(by: (answer: ProxiedAnswer) => ProxiedAnswer, which: Which = successes): Plant {
  return {
    answer: async (request, forward) => {
      const answer = await forward(request);
      return which(answer, request) ? by(answer) : answer;
    },
  };
}

/** Takes a header away from some answers. */
export const withoutHeader = (name: string, which: Which = successes): Plant =>
  replaced((answer) => ({ ...answer, headers: { ...answer.headers, [name]: undefined } }), which);

/** Answers another request where the answer to the one that came has a status; undefined leaves it. */
export function instead(
  status: number,
  of: (request: ProxiedRequest, answer: ProxiedAnswer) => ProxiedRequest | undefined,
): Plant {
  return {
    answer: async (request, forward) => {
      const answer = await forward(request);
      const other = answer.status === status ? of(request, answer) : undefined;
      return other === undefined ? answer : forward(other);
    },
  };
}

/** Gives the first answer to a path again, whatever has come since: a cache that nobody empties. Its headers are those of now. */
export function cached(key = ({ url }: ProxiedRequest) => url): Plant {
  const kept = new Map<string, string>();
  return {
    answer: async (request, forward) => {
      const answer = await forward(request);
      if (answer.status !== 200) return answer;
      const body = kept.get(key(request)) ?? answer.body;
      kept.set(key(request), body);
      return { ...answer, body };
    },
  };
}

/** Edits requests on their way in. */
export function asked(edit: (request: ProxiedRequest) => ProxiedRequest): Plant {
  return { request: edit };
}

/** Edits the JSON body of requests on their way in. */
export function sent(edit: (body: Body) => unknown): Plant {
  return asked((request) => {
    let body: Body;
    try {
      body = JSON.parse(request.body) as Body;
    } catch {
      return request;
    }
    edit(body);
    return { ...request, body: JSON.stringify(body) };
  });
}

/** A dry run that acts: what it would do is told, and done. */
export const actingDryRun: Plant = {
  answer: async (request, forward) => {
    const answer = await forward(request);
    if (request.body.includes('"dryRun":true'))
      await forward({ ...request, body: request.body.replace('"dryRun":true', '"dryRun":false') });
    return answer;
  },
};

const PLACES = [...OPERATIONS].map(([id, { method, template }]) => ({
  id,
  method,
  pathPattern: new RegExp(`^${template.replaceAll(/[.]/gu, '\\.').replaceAll(/\{\w+\}/gu, '[^/]+')}$`, 'u'),
}));

function operationAt(method: string, url: string): string | undefined {
  const path = url.split('?')[0] ?? '';
  if (path === '/openapi.json') return 'openapi';
  return PLACES.find((each) => each.method === method && each.pathPattern.test(path))?.id;
}

/** Starts a proxy; it ends with the test. @param targets asked in turn, as a load balancer does */
export async function startDeviatingProxy(
  t: Test,
  ...targets: readonly [string, ...string[]]
): Promise<DeviatingProxy> {
  let planted: Deviation | undefined;
  let requests = 0;
  const pass = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const target = targets[(requests += 1) % targets.length] ?? targets[0];
    const { method = 'GET', url = '/', headers } = incoming;
    const plant = planted?.operation === operationAt(method, url) ? planted?.plant : undefined;
    void (method === 'GET' && url.split('?')[0] === '/v1/events'
      ? stream(target, { method, url, headers, body: '' }, outgoing, plant)
      : whole(target, incoming, outgoing, plant));
  };
  return {
    address: await stubServer(t, pass),
    plant: (deviation) => {
      planted = deviation;
    },
  };
}

function ask(
  target: string,
  { method, url, headers: { 'content-length': _, ...headers }, body }: ProxiedRequest,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    httpRequest(
      target + url,
      { method, headers: { ...headers, ...(body !== '' && { 'content-length': Buffer.byteLength(body) }) } },
      resolve,
    )
      .on('error', reject)
      .end(body);
  });
}

async function whole(
  target: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  plant: Plant | undefined,
): Promise<void> {
  const { method = 'GET', url = '/', headers } = incoming;
  const came = { method, url, headers, body: (await buffer(incoming)).toString() };
  const request = plant !== undefined && 'request' in plant ? plant.request(came) : came;
  const forward: Forward = async (to) => {
    const response = await ask(target, to);
    return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
  };
  const answered = plant !== undefined && 'answer' in plant ? plant.answer(request, forward) : forward(request);
  const answer = await answered.catch(() => undefined);
  if (answer === undefined) return void outgoing.destroy(); // there is no server behind it any more
  const { 'content-length': _, 'transfer-encoding': __, ...kept } = answer.headers;
  for (const [name, value] of Object.entries(kept)) if (value !== undefined) outgoing.setHeader(name, value);
  outgoing.writeHead(answer.status).end(answer.body);
}

async function stream(
  target: string,
  request: ProxiedRequest,
  outgoing: ServerResponse,
  plant: Plant | undefined,
): Promise<void> {
  const response = await ask(target, plant !== undefined && 'request' in plant ? plant.request(request) : request);
  outgoing.once('close', () => response.destroy());
  const { 'transfer-encoding': _, ...headers } = response.headers;
  const change =
    plant !== undefined && 'message' in plant && response.statusCode === 200 ? plant.message : (each: string) => each;
  outgoing.writeHead(response.statusCode ?? 0, headers);
  let rest = '';
  let count = 0;
  response.on('error', () => undefined); // its reader went away
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const changed = change(part, (count += 1));
      if (changed !== undefined) outgoing.write(`${changed}\n\n`);
    }
  });
  response.once('end', () => outgoing.end(rest));
}
