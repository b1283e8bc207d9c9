/**
 * A registry to try the command line on: the shipped packs, and a pack `lab` of three versions with 2.0.0 active.
 *
 * Example: `const { lab, answered } = await startLaboratory(t); await answered(t, ['activate', '1.0.0', '--yes', '--reason', 'try'], lab)`.
 */
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { newFolder } from '../../support/process/folder.ts';
import { documentOf } from '../../support/packs/pack-documents.ts';
import { writePackFolder } from '../../support/packs/pack-folders.ts';
import { operatorKeyIn, ROOT, startServer, type Settings } from '../../support/apps/server-process.ts';
import { called, json, type Environment } from './command-line.ts';

/** Starts it; it ends with the test. @param settings of the service */
export async function startLaboratory(t: Test, settings: Settings = {}) {
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

  /** What a command says as JSON. */
  const answered = async (t: Test, args: readonly string[], where: Environment = env) => {
    const { code, stdout, stderr } = await called([...args, '--json'], where);
    t.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    t.equal(stderr, '');
    t.equal(stdout.trimEnd().split('\n').length, 1, 'one JSON value, on one line');
    return json(stdout);
  };
  return { folder, dataDir, packsDir, server, key, env, lab, answered };
}
