/**
 * A mock as mocking tools make it of `openapi.yaml`: every operation is answered with its example, whatever was asked and whatever came before.
 *
 * Example: `const url = await startCannedMock(t)`.
 */
import fc from 'fast-check';
import type { Test } from 'tap';
import { OPERATIONS, type Operation } from '../http/openapi.ts';
import { stubServer } from '../http/stub-server.ts';
import { valueOf } from '../http/schema-values.ts';

interface Canned {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const sampleOf = (schema: object): unknown => fc.sample(valueOf(schema, 'body', {}), { seed: 1, numRuns: 1 })[0];

/** The first success that an operation declares. */
function cannedOf({ responses }: Operation): Canned {
  const [status = '200', { headers = {}, content = {} } = {}] =
    Object.entries(responses).find(([status]) => status.startsWith('2')) ?? [];
  const [[type, { schema, examples }] = ['text/plain', { schema: { type: 'string' }, examples: undefined }]] =
    Object.entries(content);
  const [example] = Object.values(examples ?? {});
  const body = example?.value ?? sampleOf(schema);
  return {
    status: Number(status),
    headers: {
      ...Object.fromEntries(
        Object.entries(headers).map(([name, header]) => [name, header.schema.type === 'integer' ? '7' : 'canned']),
      ),
      'content-type': type,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}

/** Starts one; it is closed with the test. @returns its URL */
export async function startCannedMock(t: Test): Promise<string> {
  const routes = [...OPERATIONS.values()].map((operation) => ({
    method: operation.method,
    path: new RegExp(`^${operation.template.replaceAll(/\{\w+\}/gu, '[^/]+')}$`, 'u'),
    canned: cannedOf(operation),
  }));
  return stubServer(t, (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://mock');
    const { status, headers, body } = routes.find(
      ({ method, path }) => method === request.method && path.test(pathname),
    )?.canned ?? { status: 404, headers: {}, body: '' };
    response.writeHead(status, headers).end(body);
  });
}
