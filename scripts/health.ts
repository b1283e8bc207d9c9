/**
 * Asks the service whether it is alive: the health check of the container image, which has no curl.
 *
 * Rule: exit code 0 if GET /livez answers 200 within four seconds; otherwise 1, and the reason on stderr.
 * Example: `HOST=127.0.0.1 PORT=3000 node scripts/health.ts`, with the service's own HOST and PORT.
 */
import { isIPv6 } from 'node:net';

const { HOST = '127.0.0.1', PORT = '3000' } = process.env;
/** In milliseconds. Less than the time limit of the health check, so that a service that hangs is named as the reason. */
const LIMIT = 4000;

// Linux takes a connection to 0.0.0.0 or :: as one to this machine.
const url = `http://${isIPv6(HOST) ? `[${HOST}]` : HOST}:${PORT}/livez`;
try {
  const { status } = await fetch(url, { signal: AbortSignal.timeout(LIMIT) });
  if (status !== 200) throw new Error(`it answers ${status}`);
} catch (error) {
  process.stderr.write(
    `${url} is not healthy: ${String(error instanceof Error ? (error.cause ?? error.message) : error)}\n`,
  );
  process.exitCode = 1;
}
