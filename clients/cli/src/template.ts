/**
 * The files of a new version: a template, or a copy of another version.
 *
 * Rule: the template is valid under its own policy, so it can be validated and published unchanged.
 */
import { stringify } from 'yaml';
import type { PackVersion } from '../../../registry/model.ts';

/** File contents by path, relative to the version's folder. */
export type Files = Readonly<Record<string, string>>;

export interface NewVersion {
  readonly pack: string;
  readonly version: string;
  readonly author: string | undefined;
  readonly summary: string | undefined;
}

const CLAUSE = 'You are a coach, not a therapist, doctor, lawyer or financial adviser.';

/** A first version with one style. */
export function templateOf({ pack, version, author = 'Prompt team', summary = 'A first draft.' }: NewVersion): Files {
  return {
    'pack.yaml': `# Describes this version. docs/packs.md lists all fields. A published version never changes: to change it, create a new version.
${yaml({ pack, version, summary, author, defaultStyle: 'supportive', styles: [{ id: 'supportive', title: 'Supportive' }] })}
# What this version is compatible with. The lists may be empty.
${yaml({ compatibility: { packFormat: 1, models: [{ provider: 'anthropic', family: 'claude' }], clients: [], locales: ['en'] } })}`,
    'system.md': `# Role

${CLAUSE} You help the person with one goal at a time.

# How you work

Ask one question at a time. Sum up before you suggest something. Say plainly that you are an AI when asked.
`,
    'styles/supportive.md': `Lead with what went well. Be warm, and keep to two or three sentences.
`,
  };
}

/** A copy of a version under a new pack and version name. */
export function copyOf({ content, summary, author }: PackVersion, named: NewVersion): Files {
  const { system, styles, defaultStyle, compatibility } = content;
  const manifest = {
    pack: named.pack,
    version: named.version,
    summary: named.summary ?? summary,
    author: named.author ?? author,
    defaultStyle,
    styles: styles.map(({ id, title }) => ({ id, title })),
    compatibility,
  };
  return {
    'pack.yaml': yaml(manifest),
    'system.md': `${system}\n`,
    ...Object.fromEntries(styles.map(({ id, text }) => [`styles/${id}.md`, `${text}\n`])),
  };
}

/** The policy of a new pack. */
export const POLICY = `# Rules that every version of this pack must pass before it can be active. docs/packs.md explains each rule.
# To change the policy, increase its version. The registry never goes back to a lower one.
version: 1

# Sentences that every system prompt must contain. Line breaks and spacing do not matter.
clauses:
  - id: not-a-professional
    text: ${CLAUSE}

# What no prompt may contain: a text (case and spacing do not matter), or an RE2 pattern (matched against the exact prompt).
forbidden:
  - id: unfinished
    pattern: \\b(TODO|FIXME)\\b

requiredStyles: [supportive]

# Maximum length in characters.
limits:
  system: 16000
  style: 6000

# Allowed names in {{double braces}}. Remove the "#" to check them.
# placeholders: [user_name]
`;

function yaml(value: object): string {
  return stringify(value, { lineWidth: 0 });
}
