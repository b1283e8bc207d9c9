/**
 * A registry for tests of the command line: the shipped packs, and a pack `lab` with three versions, 2.0.0 active.
 *
 * Example: `const { lab, runJson } = await startLabRegistry(t); await runJson(t, ['activate', '1.0.0', '--yes', '--reason', 'test'], lab)`.
 */
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { newFolder } from '../process/folder.ts';
import { documentOf } from '../packs/pack-documents.ts';
import { writePackFolder } from '../packs/pack-folders.ts';
import { operatorKeyIn, ROOT, startServer, type Settings } from '../apps/server-process.ts';
import { runCli, json, type Environment } from './command-line.ts';

/** Starts the registry; it stops when the test ends. @param settings settings of the service */
export async function startLabRegistry(t: Test, settings: Settings = {}) {
  const folder = newFolder(t);
  const dataDir = join(folder, 'data');
  const packsDir = join(folder, 'packs');
  await mkdir(packsDir);
  await cp(join(ROOT, 'packs'), packsDir, { recursive: true });
  for (const version of ['1.0.0', '1.1.0', '2.0.0']) writePackFolder(packsDir, 'lab', documentOf('lab', version));
  const server = await startServer(t, { DATA_DIR: dataDir, PACKS_DIR: packsDir, ...settings });
  const key = operatorKeyIn(dataDir);
  const env = { PROMPT_REGISTRY_URL: server.address, PROMPT_REGISTRY_KEY: key };
  const lab = { ...env, PROMPT_REGISTRY_PACK: 'lab' };

  /** Runs a command that must succeed, and returns its JSON. */
  const runJson = async (t: Test, args: readonly string[], where: Environment = env) => {
    const { code, stdout, stderr } = await runCli([...args, '--json'], where);
    t.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    t.equal(stderr, '');
    t.equal(stdout.trimEnd().split('\n').length, 1, 'one JSON value, on one line');
    return json(stdout);
  };
  return { folder, dataDir, packsDir, server, key, env, lab, runJson };
}
