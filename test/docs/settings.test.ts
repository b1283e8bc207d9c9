/**
 * docs/settings.md and .env.example name every setting of config.ts with its default, and no other; every line of .env.example is valid.
 */
import { parseEnv } from 'node:util';
import t from 'tap';
import { DEFAULTS, Environment, readConfig } from '../../config.ts';
import { SECRETS } from '../../settings/texts.ts';
import { textOf } from '../support/docs/pages.ts';

/** `a, b and c`. */
const listed = (names: readonly string[]) => `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;

/** Every setting with its default; undefined if it has none. */
const SETTINGS = Object.fromEntries(
  Object.keys(Environment.properties).map((name) => [name, (DEFAULTS as Record<string, string>)[name]]),
);

t.test('docs/settings.md', async (t) => {
  const rows = [...textOf('docs/settings.md').matchAll(/^\| `([A-Z_]+)` \| (?:`([^`]*)`|none) \| .+ \|$/gmu)];
  t.strictSame(Object.fromEntries(rows.map(([, name = '', value]) => [name, value])), SETTINGS);
  t.equal(rows.length, Object.keys(SETTINGS).length, 'each once');
});

t.test('docs/settings.md and .env.example name the settings that can be read from files', async (t) => {
  const page = textOf('docs/settings.md');
  for (const name of SECRETS) t.ok(page.includes(`\`${name}_FILE\``), `${name}_FILE`);
  t.ok(textOf('.env.example').includes(`${listed(SECRETS)} can also be read from files`));
});

t.test('.env.example', async (t) => {
  const lines = textOf('.env.example')
    .split('\n')
    .flatMap((line) => {
      const [, example, setting] = /^# (Example: )?([A-Z_]+=.*)$/u.exec(line) ?? [];
      return setting === undefined ? [] : [{ setting, isExample: example !== undefined }];
    });
  const settingsOf = (isExample: boolean) =>
    ({
      ...parseEnv(lines.flatMap((line) => (line.isExample === isExample ? [line.setting] : [])).join('\n')),
    }) as Record<string, string>;
  const examples = Object.keys(settingsOf(true)).map((name) => [name, undefined]);
  t.strictSame({ ...settingsOf(false), ...Object.fromEntries(examples) }, SETTINGS);
  t.strictSame(
    lines.map(({ setting }) => setting.split('=')[0]),
    Object.keys(SETTINGS),
    'each once, in the order of config.ts',
  );
  t.strictSame(readConfig(settingsOf(false)), readConfig({}), 'its values are the defaults');
  for (const { setting } of lines) t.ok(readConfig({ ...parseEnv(setting) }), setting);
});
