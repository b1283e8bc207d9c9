/**
 * Secret settings from files: the value is the one in the file, and no message ever shows it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readConfig } from '../config.ts';
import { StartRefused } from '../registry/index.ts';
import { SECRETS } from '../settings/texts.ts';
import { newFolder } from './support/process/folder.ts';

const URL_WITH_PASSWORD = 'postgres://registry:hunter2@db.internal/registry';
const VALID: Readonly<Record<(typeof SECRETS)[number], string>> = {
  STORE_URL: URL_WITH_PASSWORD,
  PGPASSWORD: 'hunter2',
  OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20hunter2',
};
/** What makes each secret visible in the configuration. */
const OTHERS = { STORE_URL: 'postgres://db.internal/registry', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

/** Environments that differ in how they give a secret. */
function given(name: string, value: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { [name]: _, ...others } = OTHERS as Readonly<Record<string, string>>;
  return { ...others, ...value };
}

function fileWith(t: Test, content: string | Buffer): string {
  const path = join(newFolder(t), 'secret');
  writeFileSync(path, content);
  return path;
}

function refusal(env: Readonly<Record<string, string>>): string {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof StartRefused && error.exitCode === 78) return error.message;
    throw error;
  }
  throw new Error(`${JSON.stringify(env)} was accepted.`);
}

t.test('a secret from a file is read like one from the environment', async (t) => {
  for (const name of SECRETS) {
    const value = VALID[name];
    const expected = readConfig(given(name, { [name]: value }));
    for (const end of ['', '\n', '\r\n'])
      t.strictSame(
        readConfig(given(name, { [`${name}_FILE`]: fileWith(t, `${value}${end}`) })),
        expected,
        `${name} with ${JSON.stringify(end)}`,
      );
    t.strictSame(readConfig(given(name, { [name]: value, [`${name}_FILE`]: '' })), expected, 'empty counts as not set');
  }
});

t.test('where the secrets end up', async (t) => {
  const passwordFile = fileWith(t, '"hunter2" \n');
  t.strictSame(readConfig({ STORE_URL: 'postgres://db.internal/registry', PGPASSWORD_FILE: passwordFile }).store, {
    kind: 'postgres',
    url: 'postgres://db.internal/registry',
    password: '"hunter2" ',
  });
  t.strictSame(readConfig({ PGPASSWORD: 'x' }).store, readConfig({}).store, 'a password alone changes nothing');
});

t.test('a file that gives no value is refused, by its setting and its path', async (t) => {
  const folder = newFolder(t);
  mkdirSync(join(folder, 'folder'));
  const files: readonly (readonly [path: string, says: RegExp])[] = [
    [join(folder, 'nowhere'), /cannot be read: ENOENT/u],
    [join(folder, 'folder'), /is not a file\.$/u],
    ['/dev/zero', /is not a file\.$/u],
    [fileWith(t, ''), /is empty\.$/u],
    [fileWith(t, '\n'), /is empty\.$/u],
    [fileWith(t, 'hunter2'.repeat(3000)), /is 21000 bytes long; it may have at most 16384\.$/u],
    [fileWith(t, Buffer.from('hunter2\xff', 'latin1')), /does not contain UTF-8 text\.$/u],
    ['$CREDENTIALS_DIRECTORY/store-url', /is wrong: it must be a path without variables/u],
    ['~/store-url', /is wrong: it must be a path without ~/u],
  ];
  for (const name of SECRETS) {
    for (const [path, says] of files) {
      const message = refusal({ [`${name}_FILE`]: path });
      t.match(message, `The settings have a fault:\n  ${name}_FILE="${path}" `);
      t.match(message, says);
      t.notMatch(message, /hunter2/u);
    }
  }
});

t.test('a value and a file are not both accepted', async (t) => {
  for (const name of SECRETS) {
    const file = fileWith(t, VALID[name]);
    const message = refusal({ [name]: VALID[name], [`${name}_FILE`]: file });
    t.match(message, `${name}_FILE="${file}" and ${name} are both set: set only one of the two.`);
    t.notMatch(message, /hunter2/u);
  }
});

t.test('a wrong value from a file is refused without showing it', async (t) => {
  const wrong: readonly (readonly [name: string, value: string])[] = [
    ['STORE_URL', 'hunter2'],
    ['STORE_URL', `${URL_WITH_PASSWORD}\n\n`],
    ['PGPASSWORD', 'hunter2\n\n'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'hunter2'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'x=%hunter2'],
  ];
  for (const [name, value] of wrong) {
    const file = fileWith(t, value);
    const fromFile = refusal({ [`${name}_FILE`]: file });
    t.match(fromFile, `The settings have a fault:\n  ${name}, read from "${file}", is wrong: it must be `);
    t.notMatch(fromFile, /hunter2/u);
    if (name !== 'STORE_URL') t.notMatch(refusal({ [name]: value }), /hunter2/u, `nor from the environment: ${name}`);
  }
});

t.test('faults of files are reported together with the others', async (t) => {
  const message = refusal({ PORT: 'x', STORE_URL_FILE: '/nowhere/store-url', PGPASSWORD_FILE: '/nowhere/password' });
  t.match(message, 'The settings have 3 faults:');
  for (const name of ['PORT', 'STORE_URL_FILE', 'PGPASSWORD_FILE']) t.match(message, `\n  ${name}="`);
});
