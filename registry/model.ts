/**
 * The words of the domain: one TypeBox schema each, and the types derived from them.
 *
 * `routes/<resource>/schemas.ts` compose their schemas from these. The rules for names, versions and texts are stated only here.
 */
import { Type, type Static } from '@sinclair/typebox';

export * from './model/rollouts.ts';

const NAME_PATTERN = '^[a-z0-9][a-z0-9-]{0,62}$';

/** SemVer 2.0.0 section 9 identifiers. Numbers have at most 15 digits, so that they are exact in JS and no two versions compare equal. */
const VERSION_PATTERN =
  '^(0|[1-9]\\d{0,14})\\.(0|[1-9]\\d{0,14})\\.(0|[1-9]\\d{0,14})' +
  '(-(0|[1-9]\\d{0,14}|\\d*[a-zA-Z-][0-9a-zA-Z-]*)(\\.(0|[1-9]\\d{0,14}|\\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?$';

/** At least one character that is not white space. `invisibleTexts` checks more than this pattern can. */
export const NOT_BLANK = '\\S';

const name = (what: string, example: string) =>
  Type.String({
    pattern: NAME_PATTERN,
    description: `Name of a ${what}: lower-case letters, digits and hyphens, at most 63.`,
    examples: [example],
  });

export const PackName = name('pack', 'coach');
export const StyleId = name('style', 'supportive');
export const ChannelName = name('channel', 'production');

export const Version = Type.String({
  pattern: VERSION_PATTERN,
  maxLength: 64,
  description: 'SemVer 2.0.0 without build metadata.',
  examples: ['1.1.0'],
});

export const Digest = Type.String({
  pattern: '^sha256:[0-9a-f]{64}$',
  description:
    'SHA-256 of the RFC 8785 text of the content: pack, version, system, styles in order, defaultStyle, compatibility.',
  examples: [`sha256:${'4f'.repeat(32)}`],
});

export const Revision = Type.Integer({
  minimum: 0,
  description: 'Sequence number of an event in the log. It only grows; a rollback gets a new, higher one.',
  examples: [7],
});

export const Timestamp = Type.String({
  format: 'date-time',
  description: 'RFC 3339, UTC.',
  examples: ['2026-01-31T09:30:00.000Z'],
});

export const Reason = Type.String({
  minLength: 1,
  maxLength: 500,
  pattern: NOT_BLANK,
  description: 'Why the change is made. The log keeps it permanently.',
  examples: ['Users report that answers are too blunt'],
});

/** A prompt text. The limit keeps one asset well below the body limit; a pack's policy may set a lower one. */
const PromptText = (what: string, example: string) =>
  Type.String({ minLength: 1, maxLength: 262_144, pattern: NOT_BLANK, description: what, examples: [example] });

const Title = Type.String({
  minLength: 1,
  maxLength: 120,
  pattern: NOT_BLANK,
  description: 'Display name of the style.',
  examples: ['Supportive'],
});

export const StyleTitle = Type.Object({ id: StyleId, title: Title }, { additionalProperties: false });
export type StyleTitle = Static<typeof StyleTitle>;

export const Style = Type.Object(
  { id: StyleId, title: Title, text: PromptText('The style prompt.', 'Lead with what went well.') },
  { additionalProperties: false },
);
export type Style = Static<typeof Style>;

export const Compatibility = Type.Object(
  {
    models: Type.Array(
      Type.Object(
        {
          provider: Type.String({ minLength: 1, maxLength: 63, pattern: NOT_BLANK, examples: ['anthropic'] }),
          family: Type.String({ minLength: 1, maxLength: 63, pattern: NOT_BLANK, examples: ['claude'] }),
        },
        { additionalProperties: false },
      ),
      { maxItems: 50, description: 'Model families that the prompts were written and tested for.' },
    ),
    clients: Type.Array(
      Type.Object(
        {
          name: Type.String({ minLength: 1, maxLength: 63, pattern: NOT_BLANK, examples: ['coach-web'] }),
          range: Type.String({
            minLength: 1,
            maxLength: 100,
            description: 'A SemVer range.',
            examples: ['>=2.0.0 <4.0.0'],
          }),
        },
        { additionalProperties: false },
      ),
      { maxItems: 50, description: 'Clients that can work with the pack, by version range.' },
    ),
    locales: Type.Array(
      Type.String({ minLength: 2, maxLength: 35, description: 'A BCP 47 language tag.', examples: ['en'] }),
      { maxItems: 100 },
    ),
    packFormat: Type.Integer({
      minimum: 1,
      maximum: 1,
      description: 'Version of the pack format. This service supports 1.',
      examples: [1],
    }),
  },
  { additionalProperties: false, description: 'What the version works with.' },
);
export type Compatibility = Static<typeof Compatibility>;

const packMembers = {
  version: Version,
  summary: Type.String({
    minLength: 1,
    maxLength: 300,
    pattern: NOT_BLANK,
    description: 'Describes this version in one sentence.',
    examples: ['Warmer openings, clearer crisis wording'],
  }),
  author: Type.String({
    minLength: 1,
    maxLength: 120,
    pattern: NOT_BLANK,
    description: 'Who wrote it.',
    examples: ['Coaching content team'],
  }),
  defaultStyle: StyleId,
  compatibility: Compatibility,
};

/** The pack document: the body of a publish request, and the result of reading a folder. It does not include the pack's name. */
export const PackDocument = Type.Object(
  {
    ...packMembers,
    system: PromptText('The system prompt.', 'You are a coach, not a therapist.'),
    styles: Type.Array(Style, { minItems: 1, maxItems: 50 }),
  },
  { additionalProperties: false },
);
export type PackDocument = Static<typeof PackDocument>;

/** `pack.yaml`: the document without its texts, which are Markdown files next to it. */
export const PackManifest = Type.Object(
  { pack: PackName, ...packMembers, styles: Type.Array(StyleTitle, { minItems: 1, maxItems: 50 }) },
  { additionalProperties: false },
);
export type PackManifest = Static<typeof PackManifest>;

/** The content that the digest covers and that is stored by digest. Deep frozen. */
export interface PackContent {
  readonly pack: string;
  readonly version: string;
  readonly system: string;
  readonly styles: readonly Readonly<Style>[];
  readonly defaultStyle: string;
  readonly compatibility: Readonly<Compatibility>;
}

/** A parsed, checked, frozen version that is ready to be published. */
export interface PackVersion {
  readonly content: PackContent;
  readonly digest: string;
  readonly summary: string;
  readonly author: string;
  /** Texts without a visible character. They refuse a new version; a version registered before this check existed stays. */
  readonly invisible: readonly InputFault[];
}

export const Actor = Type.Object(
  { keyId: Type.String({ examples: ['system'] }), label: Type.String({ examples: ['system'] }) },
  { additionalProperties: false, description: 'Who made the change.' },
);
export type Actor = Readonly<Static<typeof Actor>>;

/** The registry itself: first start, shipped packs. */
export const SYSTEM_ACTOR: Actor = Object.freeze({ keyId: 'system', label: 'system' });

/** What a key can allow; `*` allows everything. */
export const SCOPES = [
  'prompts:read',
  'packs:publish',
  'packs:activate',
  'packs:revoke',
  'sessions:start',
  'audit:read',
  'metrics:read',
  'keys:admin',
  '*',
] as const;
export const Scope = Type.Unsafe<(typeof SCOPES)[number]>({
  type: 'string',
  enum: SCOPES,
  description: 'What a key can allow; `*` allows everything.',
  examples: ['prompts:read'],
});
export type Scope = Static<typeof Scope>;

export const KeyLabel = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: NOT_BLANK,
  description: 'Who or what the key is for. The log shows it as the actor.',
  examples: ['coach-web production'],
});

export const KeyId = Type.String({
  pattern: '^[0-9A-Za-z]{1,32}$',
  description: 'Id of a key; not secret.',
  examples: ['k7Qm2Xw9Lp3'],
});

/** Why a pointer moved. */
export type MoveKind = 'activation' | 'rollback' | 'revocation';

/** One reason why a version may not be activated (SPEC R7). */
export const Violation = Type.Object(
  {
    rule: Type.Unsafe<'clause' | 'forbidden' | 'required-style' | 'limit' | 'placeholder' | 'revoked'>({
      type: 'string',
      enum: ['clause', 'forbidden', 'required-style', 'limit', 'placeholder', 'revoked'],
      description: 'The kind of rule that is broken.',
      examples: ['clause'],
    }),
    id: Type.Optional(
      Type.String({
        description: 'The clause, pattern, style or placeholder that the rule names.',
        examples: ['not-a-professional'],
      }),
    ),
    asset: Type.Optional(Type.String({ description: 'Where: `system` or `styles/<id>`.', examples: ['system'] })),
    detail: Type.String({ description: 'What is wrong and how to fix it.' }),
  },
  { additionalProperties: false },
);
export type Violation = Readonly<Static<typeof Violation>>;

/** The maximum and default number of entries on a page. */
export const PAGE = Object.freeze({ most: 1000, usual: 100 });

/** One fault in an input: where (RFC 6901 pointer into the document, or parameter name) and how to fix it. */
export interface InputFault {
  readonly pointer?: string;
  readonly parameter?: string;
  readonly detail: string;
}

const RuleId = Type.String({
  pattern: PackName.pattern ?? '',
  description: 'Names the rule in messages.',
  examples: ['not-a-therapist'],
});

const Characters = Type.Integer({
  minimum: 1,
  maximum: 10_000_000,
  description: 'Maximum number of characters.',
  examples: [20_000],
});

/** `policy.yaml`, as the log keeps it. */
export const Policy = Type.Object(
  {
    version: Type.Integer({
      minimum: 1,
      maximum: 1_000_000_000,
      description: 'A policy with a higher version replaces one with a lower version.',
      examples: [1],
    }),
    clauses: Type.Array(
      Type.Object(
        {
          id: RuleId,
          text: Type.String({
            minLength: 1,
            maxLength: 2000,
            pattern: NOT_BLANK,
            examples: ['You are a coach, not a therapist.'],
          }),
        },
        { additionalProperties: false },
      ),
      { maxItems: 100, description: 'Texts that every system prompt must contain.' },
    ),
    forbidden: Type.Array(
      Type.Object(
        {
          id: RuleId,
          text: Type.Optional(
            Type.String({
              minLength: 1,
              maxLength: 500,
              pattern: NOT_BLANK,
              description: 'Plain text; case and spacing are ignored.',
            }),
          ),
          pattern: Type.Optional(
            Type.String({
              minLength: 1,
              maxLength: 500,
              description: 'An RE2 pattern, matched against the served text with every line end as \\n.',
            }),
          ),
        },
        { additionalProperties: false },
      ),
      { maxItems: 100, description: 'Texts or patterns that no prompt may contain; each entry has one of the two.' },
    ),
    requiredStyles: Type.Array(StyleId, { maxItems: 50, description: 'Styles that every version must have.' }),
    limits: Type.Object(
      { system: Type.Optional(Characters), style: Type.Optional(Characters), total: Type.Optional(Characters) },
      {
        additionalProperties: false,
        description: 'Maximum characters of the system prompt, of each style, and of all prompts together.',
      },
    ),
    placeholders: Type.Optional(
      Type.Array(Type.String({ pattern: '^[a-z][a-z0-9_]{0,62}$', examples: ['user_name'] }), {
        maxItems: 200,
        description: 'Names that are allowed in {{double braces}}. If missing, braces are not checked.',
      }),
    ),
  },
  { additionalProperties: false },
);

export type Policy = Static<typeof Policy>;
