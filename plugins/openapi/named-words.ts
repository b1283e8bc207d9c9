/**
 * Gives each word of the domain one schema in the OpenAPI document.
 *
 * Problem: the generator writes the schema of a word wherever the word occurs, so the document would explain version numbers sixty times.
 * Rule: in `components/schemas`, a schema that is a word of the domain becomes a reference to it. The reference keeps its own
 * description, which OpenAPI 3.1 allows next to `$ref`. A word that never occurs is not added.
 * Example: `stableVersion` is `{$ref: "#/components/schemas/VersionNumber", description: "Where the channel was …"}`.
 */
import {
  AttributeName,
  AttributeText,
  AttributeValue,
  Audience,
  ChannelName,
  Condition,
  Digest,
  Duration,
  KeyLabel,
  PackDocument,
  PackName,
  Reason,
  Revision,
  RolloutId,
  ScheduleId,
  Scope,
  SessionPolicy,
  Share,
  Step,
  StyleId,
  StyleTitle,
  Subject,
  Timestamp,
  Version,
} from '../../registry/index.ts';

type Schema = Readonly<Record<string, unknown>>;

/** The words, by their names in the document. A version number is not called `Version`: that is a version with its texts. */
const WORDS: Readonly<Record<string, object>> = {
  AttributeName,
  AttributeText,
  AttributeValue,
  Audience,
  AuthorName: PackDocument.properties.author,
  ChannelName,
  Condition,
  Digest,
  Duration,
  KeyLabel,
  PackName,
  Reason,
  Revision,
  RolloutId,
  ScheduleId,
  Scope,
  SessionPolicy,
  Share,
  Step,
  StyleId,
  StyleName: StyleTitle.properties.title,
  Subject,
  Summary: PackDocument.properties.summary,
  Timestamp,
  VersionNumber: Version,
};

const NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries(WORDS).map(([name, word]) => [identityOf(word as Schema), name]),
);

/** Members of a schema that hold data, not schemas. */
const DATA: ReadonlySet<string> = new Set(['examples', 'enum', 'required']);

/** The schemas by name, with those of the words that occur in them. */
export function withNamedWords(schemas: object): object {
  const words = new Map<string, unknown>();

  const inside = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(referring);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, DATA.has(key) ? (member as unknown) : referring(member)]),
    );
  };
  const referring = (value: unknown): unknown => {
    const name = NAMES.get(identityOf(value as Schema));
    if (name === undefined) return inside(value);
    const word = WORDS[name] as Schema;
    if (!words.has(name)) words.set(name, inside(word));
    const { description } = value as Schema;
    return { $ref: `#/components/schemas/${name}`, ...(description !== word['description'] && { description }) };
  };

  const named = Object.entries(schemas).map(([name, schema]) => [name, inside(schema)] as const);
  return Object.fromEntries([...named, ...[...words].sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/** The same for the same rule, however it is described. */
function identityOf(schema: Schema): string {
  if (typeof schema !== 'object' || schema === null) return '';
  const { description: _, ...rule } = schema;
  return JSON.stringify(rule);
}
