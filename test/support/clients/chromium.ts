/**
 * Starts Debian's Chromium for tests, with a temporary profile. Tests are skipped if it is not installed.
 *
 * Example: `t.test('in a browser', { skip: noChromium }, async (t) => { const page = await (await launchChromium(t)).newPage(); … })`.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext } from 'playwright-core';
import type { Test } from 'tap';
import { words } from '../process/words.ts';

const CHROMIUM = '/usr/bin/chromium';
const ARGS = words`
  --headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
  --disable-component-update --disable-sync
`;

export const noChromium = existsSync(CHROMIUM) ? false : `${CHROMIUM} is not installed; run "apt-get install chromium"`;

/** Starts the browser; it closes when the test ends. */
export async function launchChromium(t: Test): Promise<BrowserContext> {
  const profile = await mkdtemp(join(tmpdir(), 'registry-browser-'));
  t.teardown(() => rm(profile, { recursive: true, force: true }));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    args: ARGS,
    headless: false,
  }); // headless through its arguments
  t.teardown(() => browser.close());
  return browser;
}
