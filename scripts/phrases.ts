/**
 * Refuses phrases that nobody would say: `npm run phrases`, part of `npm run check`.
 *
 * Problem: a code base that many hands wrote drifts into a dialect of its own, and each reader has to translate it.
 * Rule: each phrase in the list is refused in code, comments, messages and pages, with the place and what to write instead. A phrase may
 * run over the end of a line.
 * Example: `routes/keys/schemas.ts:12: "where not given": write "default: …"`.
 */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A pattern (a space stands for any white space, a line end in a comment included; case does not matter), and what to write instead. */
type Phrase = readonly [pattern: string, instead: string];

const PHRASES: readonly Phrase[] = [
  // Missing and invalid values.
  ['(?<!there )is none(?= ?[.;,]| that)', '"is not valid" or "is missing"'],
  ['(?:are|be) none that', '"none of them …", or say what is missing'],
  ['none that (?:a|the|an|was|is|we)', '"not a … that"'],
  ['where there (?:is|are) none', '"if there is none", "if any", or "default: …"'],
  ['where not given', '"default: …" or "optional"'],
  ['where none is given', '"default: …" or "optional"'],
  [
    '(?:what|that|which) is no\\b(?! (?:longer|more|older|later|earlier|newer|less|greater|one)\\b)',
    '"not a …" or "not a valid …"',
  ],
  ['as (?:it|they) should be', '"valid" or "correct"'],
  ['as good as none', '"ignored" or "invalid"'],
  ['for good(?= ?[.,;:)])', '"permanently", or nothing'],
  ['for ever\\b', '"forever", "permanently", or nothing'],
  [
    '(?<!(?:says?|shows?|see|knows?|from|to|of|about|tells?|name|find|finds|and|or|is|exactly|with) )where (?:it|that|there|this|they|nothing|nobody|somebody|one|no \\w+) (?:is|are|has|have|does|do|was|were|cannot|can|may)',
    '"if …", unless it is about a place',
  ],
  // Who hears of what.
  ['(?:is|are|be|was|were) told (?:so|of|about it)', '"receives …", "is notified", or "gets an error"'],
  ['\\btold of\\b', '"notified of"'],
  ['\\bhears? of\\b', '"receives", "learns" or "is notified of"'],
  ['\\btells? of\\b', '"reports", "names" or "shows"'],
  ['\\bsays? of itself\\b', '"reports about itself"'],
  ['\\bput right\\b', '"corrected" or "repaired"'],
  ['unheard\\b', '"without a check", "unhandled"'],
  ['unasked\\b', '"without a check"'],
  ['gives? out\\b', '"returns" or "issues"'],
  ['gave out\\b', '"returned" or "issued"'],
  ['given out\\b', '"returned" or "issued"'],
  ['a refusal rather', '"is refused instead"'],
  // Words that are no longer said.
  ['\\bwhoever\\b', '"anyone who", "the caller", or a noun'],
  ['\\banew\\b', '"again"'],
  ['\\bthereby\\b', '"so" or "thus"'],
  ['\\b(?:whence|thence|hither|thereof|therein|whereby|herewith|hereby)\\b', 'a plain word'],
  ['\\bas good as\\b', '"almost" or "the same as"'],
  ['\\bin place of\\b', '"instead of"'],
  ['\\bbut for\\b', '"except for"'],
  ['\\bbeside\\b', '"next to", "with", or "in addition to"'],
  ['\\bturned round\\b', '"reversed"'],
  ['\\bknocks? at\\b', '"calls" or "asks"'],
  ['\\bfor a try\\b', '"to try it"'],
  ['\\b(?:each|every|last|first|next|one|two|three) tr(?:y|ies)\\b', '"attempt"'],
  ['\\bbetween tries\\b', '"between attempts"'],
  // Order of words.
  ['nothing of it\\b', '"none of it", or say what did not happen'],
  ['active nowhere by that', '"Publishing does not activate it."'],
  ['by (?:itself|themselves|himself)\\b', '"on its own", "automatically", or "alone"'],
  ['\\bof (?:its|his) own\\b', '"its own …" or "a separate …"'],
  ['(?:for|after|takes) so long\\b', '"for that long"'],
  ['so long as\\b', '"while" or "if"'],
  ['such (?:a )?one\\b', '"one", or the noun'],
  ['\\b(?:lies?|lay|lying) (?:in|at|below|behind|outside|elsewhere) (?:the|a|an|its|`)', '"is in …"'],
  ['\\bstands? in (?:the|its|their|that|an?) (?:event|log|file|list)', '"is in …"'],
  ['\\bgoes? by the\\b', '"uses the" or "follows the"'],
  ['\\bhonou?red unasked\\b', '"accepted without a check"'],
  ['\\ball the same\\b(?! (?:length|size))', '"still"'],
  ["\\b(?:nobody|others)'s? business\\b", '"ignored"'],
  ['\\bfrom time to time\\b', '"from run to run" or "sometimes"'],
  ['\\bin words of\\b', '"in the words of"'],
  ['\\bwithout a word\\b', '"silently"'],
];

/** What is checked. */
const FILES = ['**/*.ts', '**/*.md', 'openapi.yaml'];
const EXCEPT = [
  '**/node_modules/**',
  '**/dist/**',
  '{data,coverage,packed,drafts}/**',
  'data-*/**',
  'CHANGELOG.md',
  'packs/**',
  '**/packs/**/*.md',
  'test/fixtures/**',
  'clients/typescript/src/api.ts', // generated
  'scripts/phrases.ts',
  'test/docs/phrases.test.ts',
];

/** A space of a pattern: white space, with a line end and the comment marks after it. */
const SPACE = '(?:[ \\t]+|[ \\t]*\\n[ \\t]*(?:\\*|//|#|>)?[ \\t]*)';
const PATTERNS = PHRASES.map(([pattern, instead]) => ({
  pattern: new RegExp(
    `(?<![\\w-])${pattern.replaceAll(' ?', '\0').replaceAll(' ', SPACE).replaceAll('\0', ' ?')}`,
    'giu',
  ),
  instead,
}));

/** The refused phrases of a text, as `line: "phrase": write …`. */
export function refusedPhrases(text: string): string[] {
  return PATTERNS.flatMap(({ pattern, instead }) =>
    [...text.matchAll(pattern)].map((found) => ({
      line: text.slice(0, found.index).split('\n').length,
      message: `"${found[0].replaceAll(/\s+(?:\*\s|\/\/\s)?\s*/gu, ' ')}": write ${instead}`,
    })),
  )
    .sort((a, b) => a.line - b.line)
    .map(({ line, message }) => `${line}: ${message}`);
}

/** The refused phrases of the repository, as `file:line: "phrase": write …`. */
function refusedInFiles(): string[] {
  return globSync(FILES, { cwd: ROOT, exclude: EXCEPT })
    .sort()
    .flatMap((path) => refusedPhrases(readFileSync(`${ROOT}${path}`, 'utf8')).map((refused) => `${path}:${refused}`));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const refused = refusedInFiles();
  if (refused.length > 0)
    console.error(`${refused.join('\n')}\n\n${refused.length} phrases to write in plain English.`);
  process.exitCode = refused.length === 0 ? 0 : 1;
}
