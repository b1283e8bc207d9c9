/**
 * Preloaded into a server under test: from one SIGWINCH to the next it opens files until the process may open no more, and replaces those that
 * are closed meanwhile. A log line on stdout says how many it holds.
 */
import { closeSync, openSync } from 'node:fs';

const held: number[] = [];
let timer: NodeJS.Timeout | undefined;

process.on('SIGWINCH', () => {
  if (timer === undefined) {
    useUp();
    timer = setInterval(useUp, 1);
  } else {
    clearInterval(timer);
    for (const descriptor of held.splice(0)) closeSync(descriptor);
  }
  process.stdout.write(`${JSON.stringify({ level: 30, msg: `Holds ${held.length} files` })}\n`);
});

function useUp(): void {
  try {
    for (;;) held.push(openSync('/dev/null', 'r'));
  } catch {
    // There is no more.
  }
}
