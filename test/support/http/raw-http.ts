/**
 * A connection that sends bytes as they are, for what no HTTP client would send: half a request, oversized headers, junk.
 */
import { connect } from 'node:net';
import type { RawAnswer } from './openapi.ts';

/** Sends the bytes and waits until the server ends the connection. @param origin e.g. `http://127.0.0.1:3000` */
export async function exchange(origin: string, bytes: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    socket.on('data', (chunk) => chunks.push(chunk));
    // If a server closes while the client is still sending, the connection is reset; what it sent before counts.
    socket.on('error', (error) => (chunks.length === 0 ? reject(error) : undefined));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
    socket.write(bytes);
  });
}

/** The first response in the text from a server. */
export function answerIn(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  return { statusCode: Number(first.split(' ')[1]), headers, body: text.slice(end + 4) };
}
