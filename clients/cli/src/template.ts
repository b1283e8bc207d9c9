/**
 * The files of a new version: a template that is above its own policy, or a copy of another version.
 *
 * Rule: what is made can be validated and published as it is; what has to be written by a person says so in its own text.
 */
import { stringify } from 'yaml';
import type { PackVersion } from '../../../registry/model.ts';

/** Texts by path, relative to the folder of the version. */
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
    'pack.yaml': `# What this version is. docs/packs.md lists every member. A published version never changes: a change is a new version.
${yaml({ pack, version, summary, author, defaultStyle: 'supportive', styles: [{ id: 'supportive', title: 'Supportive' }] })}
# What the version works with. The lists may be empty.
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

/** A copy of a version under another name. */
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

/** The floor of a new pack. */
export const POLICY = `# The floor under every version of the pack: what its prompts must hold before they may be active. docs/packs.md explains each rule.
# A change needs a higher version. The registry keeps the policy in its log and never goes back to a lower one.
version: 1

# Sentences that every system prompt must contain, however they are wrapped and spaced.
clauses:
  - id: not-a-professional
    text: ${CLAUSE}

# What no prompt may contain: a plain text in any case and spacing, or an RE2 pattern, which sees the prompt as it is.
forbidden:
  - id: unfinished
    pattern: \\b(TODO|FIXME)\\b

requiredStyles: [supportive]

# Characters.
limits:
  system: 16000
  style: 6000

# The names that may stand in {{double braces}}. Remove the "#" to have them checked.
# placeholders: [user_name]
`;

function yaml(value: object): string {
  return stringify(value, { lineWidth: 0 });
}
