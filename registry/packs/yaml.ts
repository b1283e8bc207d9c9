/**
 * YAML files as people write them: one document of plain values.
 *
 * Problem: YAML has features that change what a file says behind its reader's back (tags, aliases, merge keys, a second document).
 * Rule: YAML 1.2 with the core schema; what is more than plain values is refused, in our words and with its line and column.
 * Example: `author: !secret x` is refused; a reader that does not know the tag would take it for the author "x".
 */
import { isAlias, isScalar, LineCounter, parseAllDocuments, visit, type Document, type Node, type YAMLMap } from 'yaml';

/** The file is not one document of plain values; the message says where and why. */
export class YamlRefused extends Error {
  override readonly name = 'YamlRefused';
}

/** Tags of the core schema (YAML 1.2.2 section 10.3) and the non-specific one. They say only what the value is anyway. */
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
  // Keys are compared below: the library compares each with each, which takes minutes for 100,000 of them.
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
      `${at(second.range[0])}: a second YAML document begins here; a file holds one document, so remove the line "---" and what follows it`,
    );
  if (document.directives.yaml.version !== '1.2')
    throw new YamlRefused(
      `line 1: the file asks for YAML ${document.directives.yaml.version}, but files are read as YAML 1.2; remove the %YAML line`,
    );
  for (const { code, message, pos } of document.warnings) {
    throw new YamlRefused(
      `${at(pos[0])}: ${code === 'TAG_RESOLVE_FAILED' ? tagRefused(text.slice(...pos)) : `this is not valid YAML: ${message}`}`,
    );
  }
  refuseMore(document, at);
  return document.toJS({ maxAliasCount: 0 });
}

/** What the library would take, and a reader might not see. */
function refuseMore(document: Document.Parsed, at: (offset: number) => string): void {
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
  return `the tag ${tag} is not allowed, as nothing here acts on it; write the plain value`;
}

function refuseKeys({ items }: YAMLMap, at: (offset: number) => string): void {
  const seen = new Set<string>();
  for (const { key } of items) {
    const name = String(isScalar(key) ? key.value : key);
    const shownAt = at((key as Node | null)?.range?.[0] ?? 0);
    if (name === '<<') throw new YamlRefused(`${shownAt}: merge keys (<<) are not allowed; write the members out`);
    if (seen.has(name)) throw new YamlRefused(`${shownAt}: the key "${name}" is there twice; keep one of them`);
    seen.add(name);
  }
}
