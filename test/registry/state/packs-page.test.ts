/**
 * docs/packs.md describes pack.yaml and policy.yaml: its tables list exactly the members of the schemas with their limits, and its examples
 * are valid.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TSchema } from '@sinclair/typebox';
import t from 'tap';
import { parse } from 'yaml';
import { PackManifest, Policy } from '../../../registry/model.ts';
import { checked } from '../../../registry/packs/faults.ts';
import { parsePolicy } from '../../../registry/packs/policy.ts';
import { ROOT } from '../../support/apps/server-process.ts';

const PAGE = readFileSync(join(ROOT, 'docs', 'packs.md'), 'utf8');

interface Member {
  readonly path: string;
  readonly required: boolean;
  /** Bounds that the page must name. */
  readonly bounds: readonly number[];
}

/** Every member of an object's schema, and of those in it. */
function membersOf(schema: TSchema, before = ''): Member[] {
  const { properties = {}, required = [] } = schema as { properties?: Record<string, TSchema>; required?: string[] };
  return Object.entries(properties).flatMap(([name, member]) => {
    const path = `${before}${name}`;
    const items = (member as { items?: TSchema }).items;
    const simple =
      items !== undefined && (items as { properties?: object }).properties === undefined ? items : undefined;
    const own = { path, required: required.includes(name), bounds: [...boundsOf(member), ...boundsOf(simple)] };
    return [own, ...membersOf(member, `${path}.`), ...(items === undefined ? [] : membersOf(items, `${path}[].`))];
  });
}

function boundsOf(schema: TSchema | undefined): number[] {
  const { maxLength, maxItems, minimum, maximum } = (schema ?? {}) as {
    maxLength?: number;
    maxItems?: number;
    minimum?: number;
    maximum?: number;
  };
  return [maxLength, maxItems, minimum, maximum].filter((bound) => bound !== undefined);
}

/** The rows of the table below a heading. */
function rowsBelow(heading: string): Map<string, { required: string; what: string }> {
  const section = PAGE.split(/^## /mu).find((each) => each.startsWith(`${heading}\n`)) ?? '';
  const rows = [...section.matchAll(/^\| `([^`]+)` \| (yes|no) \| (.*) \|$/gmu)];
  return new Map(rows.map(([, path = '', required = '', what = '']) => [path, { required, what }]));
}

for (const [file, schema] of [
  ['pack.yaml', PackManifest],
  ['policy.yaml', Policy],
] as const) {
  t.test(`the table of ${file} matches the schema`, async (t) => {
    const rows = rowsBelow(file);
    const members = membersOf(schema);
    t.same([...rows.keys()].sort(), members.map(({ path }) => path).sort(), 'each member, and no other');
    for (const { path, required, bounds } of members) {
      const row = rows.get(path);
      t.equal(row?.required, required ? 'yes' : 'no', `${path}: required`);
      const numbers = new Set(
        (row?.what.match(/\d[\d,]*/gu) ?? []).map((number) => Number(number.replaceAll(',', ''))),
      );
      for (const bound of bounds) t.ok(numbers.has(bound), `${path}: ${bound} in "${row?.what}"`);
    }
  });
}

t.test('the examples are valid', async (t) => {
  const examples = new Map(
    [...PAGE.matchAll(/^```yaml\n# (\S+)\n([^]*?)^```$/gmu)].map(([, file = '', text = '']) => [file, text]),
  );
  t.same(checked(PackManifest, parse(examples.get('pack.yaml') ?? '')).faults, [], 'pack.yaml');
  const { policy, faultsIfNew } = parsePolicy(parse(examples.get('policy.yaml') ?? ''));
  t.same(faultsIfNew, []);
  t.equal(policy.forbidden.length, 3, 'policy.yaml');
});
