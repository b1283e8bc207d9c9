/**
 * YAML files with one document of plain values.
 *
 * Problem: some YAML features change what a file means without the reader noticing (tags, aliases, merge keys, a second document).
 * Rule: YAML 1.2 with the core schema. Anything beyond plain values is refused, with its line and column.
 * Example: `author: !secret x` is refused; a reader that does not know the tag would read the author as "x".
 */
import { isAlias, isScalar, LineCounter, parseAllDocuments, visit, type Document, type Node, type YAMLMap } from 'yaml';

/** The file is not a single document of plain values; the message says where and why. */
export class YamlRefused extends Error {
  override readonly name = 'YamlRefused';
}

/** Tags of the core schema (YAML 1.2.2 section 10.3) and the non-specific tag. They do not change the value. */
const PLAIN_TAGS: ReadonlySet<string> = new Set([
  '!',
  ...['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
]);

/**
 * @returns the value of the file's only document; null for an empty file
 * @throws YamlRefused
 */
export function parseYaml(text: string): unknown {
  const lines = new LineCounter();
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `line ${line}, column ${col}`;
  };
  // `refuseKeys` checks for duplicates: the library compares every pair, which takes minutes for 100,000 keys.
  const documents = parseAllDocuments(text, {
    uniqueKeys: false,
    strict: true,
    version: '1.2',
    lineCounter: lines,
    prettyErrors: false,
  });
  const [document, second] = documents as Document.Parsed[];
  if (document === undefined) return null;
  const [error] = document.errors;
  if (error?.code === 'RESOURCE_EXHAUSTION')
    throw new YamlRefused(`${at(error.pos[0])}: the values are nested too deeply`);
  if (error !== undefined) throw new YamlRefused(`${at(error.pos[0])}: this is not valid YAML: ${error.message}`);
  if (second !== undefined)
    throw new YamlRefused(
      `${at(second.range[0])}: a second YAML document starts here, but a file holds one; remove the line "---" and everything after it`,
    );
  if (document.directives.yaml.version !== '1.2')
    throw new YamlRefused(
      `line 1: the file declares YAML ${document.directives.yaml.version}, but files are read as YAML 1.2; remove the %YAML line`,
    );
  for (const { code, message, pos } of document.warnings) {
    throw new YamlRefused(
      `${at(pos[0])}: ${code === 'TAG_RESOLVE_FAILED' ? tagRefused(text.slice(...pos)) : `this is not valid YAML: ${message}`}`,
    );
  }
  refuseHiddenMeaning(document, at);
  return document.toJS({ maxAliasCount: 0 });
}

/** Refuses features that the library accepts but a reader may not notice. */
function refuseHiddenMeaning(document: Document.Parsed, at: (offset: number) => string): void {
  visit(document, {
    Node(_, node) {
      const offset = node.range?.[0] ?? 0;
      if (isAlias(node))
        throw new YamlRefused(`${at(offset)}: the alias *${node.source} is not allowed; write the value out`);
      if (node.tag !== undefined && !PLAIN_TAGS.has(node.tag))
        throw new YamlRefused(`${at(offset)}: ${tagRefused(node.tag.replace('tag:yaml.org,2002:', '!!'))}`);
    },
    Map(_, map) {
      refuseKeys(map, at);
    },
  });
}

function tagRefused(tag: string): string {
  return `the tag ${tag} is not supported; write the plain value`;
}

function refuseKeys({ items }: YAMLMap, at: (offset: number) => string): void {
  const seen = new Set<string>();
  for (const { key } of items) {
    const name = String(isScalar(key) ? key.value : key);
    const position = at((key as Node | null)?.range?.[0] ?? 0);
    if (name === '<<') throw new YamlRefused(`${position}: merge keys (<<) are not allowed; write the members out`);
    if (seen.has(name)) throw new YamlRefused(`${position}: the key "${name}" is a duplicate; keep one of them`);
    seen.add(name);
  }
}
