/** Reads at a fixed rate, in their own process: begins when its parent says what to read, and reports when its parent says `stop`. */
import autocannon from 'autocannon';

export interface Order {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly perSecond: number;
}

/** Answers of 200, everything else, and seconds. */
export interface Report {
  readonly read: number;
  readonly failed: number;
  readonly seconds: number;
}

const CONNECTIONS = 32;
/** Seconds; its parent stops it long before. */
const LONGEST = 3600;

process.once('message', ({ url, headers, perSecond }: Order) => {
  const load = { url, headers: { ...headers }, connections: CONNECTIONS, overallRate: perSecond, duration: LONGEST };
  const running = autocannon(load, (error: Error | null, result) => {
    if (error !== null) throw error;
    const read = result.statusCodeStats?.['200']?.count ?? 0;
    const failed = result.requests.total - read + result.errors;
    const seconds = (result.finish.getTime() - result.start.getTime()) / 1000;
    process.send?.({ read, failed, seconds } satisfies Report);
    process.disconnect();
  });
  process.once('message', () => running.stop());
});
