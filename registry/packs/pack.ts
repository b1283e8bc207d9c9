/**
 * Checks a pack document and freezes it into a version with a digest.
 *
 * Problem: a published version never changes, so every fault must be found before.
 * Rule (SPEC R1): folders on disk and HTTP requests both go through `parsePack`, the only place that normalises texts. The same prompts
 * give the same digest.
 * Example: a file with CRLF line ends and the same text sent as JSON with LF are one version, not two.
 */
import semver from 'semver';
import { invalidInput } from '../errors.ts';
import { canonical, sha256 } from '../values/canonical.ts';
import { PackDocument, PackName, type PackContent, type PackVersion, type InputFault } from '../model.ts';
import { normalizeText } from './texts.ts';
import { deepFreeze } from '../values/frozen.ts';
import { unfitTexts } from '../values/unfit-texts.ts';
import { MAX_FAULTS, invisibleTexts, schemaFaults, checked } from './faults.ts';

/**
 * Checks a pack document and freezes it.
 *
 * @param pack the name of the pack the document belongs to
 * @param untrusted the document: a parsed body or a parsed folder
 * @returns a deep-frozen version with its digest
 * @throws RegistryError `validation-failed` with every fault found, by pointer
 */
export function parsePack(pack: string, untrusted: unknown): PackVersion {
  const nameFaults = schemaFaults(PackName, pack).map((fault) => ({ ...fault, pointer: '/pack' }));
  const { value: document, faults: documentFaults } = checked(PackDocument, untrusted);
  if (nameFaults.length > 0 || document === undefined)
    throw invalidInput('The pack document breaks its schema.', [...nameFaults, ...documentFaults]);

  const faults = [...unfitTexts(document), ...semanticFaults(document)].slice(0, MAX_FAULTS);
  if (faults.length > 0)
    throw invalidInput('The pack document contradicts itself or holds text that cannot be served.', faults);

  const { summary, author } = document;
  const content = deepFreeze(structuredClone(normalized({ pack, ...document })));
  return Object.freeze({
    content,
    digest: digestOf(content),
    summary,
    author,
    invisible: deepFreeze(invisibleTexts(PackDocument, document)),
  });
}

/** The content that is digested, with its texts in normal form. */
function normalized({ pack, version, system, styles, defaultStyle, compatibility }: PackContent): PackContent {
  return {
    pack,
    version,
    system: normalizeText(system),
    styles: styles.map(({ id, title, text }) => ({ id, title, text: normalizeText(text) })),
    defaultStyle,
    compatibility,
  };
}

/**
 * Whether a registered content equals the given one. Older builds registered texts in other forms, e.g. with a final newline. Those keep
 * their digest and are still the same version (SPEC R1, docs/adr/0019).
 */
export function isSameContent(registered: PackContent, given: PackVersion): boolean {
  return digestOf(normalized(registered)) === given.digest;
}

/** `sha256:<hex>` over RFC 8785 of the content (DESIGN section 2). */
export function digestOf(content: PackContent): string {
  return `sha256:${sha256(canonical(content))}`;
}

/** The rules that a schema cannot express. */
function semanticFaults(document: PackDocument): InputFault[] {
  const faults: InputFault[] = [];
  if (semver.valid(document.version) !== document.version) {
    faults.push({ pointer: '/version', detail: `"${document.version}" is not a SemVer 2.0.0 version.` });
  }
  const ids = new Set<string>();
  document.styles.forEach(({ id }, index) => {
    if (ids.has(id))
      faults.push({
        pointer: `/styles/${index}/id`,
        detail: `The style id "${id}" is a duplicate; style ids must be unique.`,
      });
    ids.add(id);
  });
  if (!ids.has(document.defaultStyle)) {
    faults.push({
      pointer: '/defaultStyle',
      detail: `"${document.defaultStyle}" is not one of the version's styles: ${[...ids].join(', ')}.`,
    });
  }
  document.compatibility.clients.forEach(({ range }, index) => {
    if (semver.validRange(range) === null) {
      faults.push({
        pointer: `/compatibility/clients/${index}/range`,
        detail: `"${range}" is not a SemVer range; write e.g. ">=2.0.0 <3.0.0".`,
      });
    }
  });
  document.compatibility.locales.forEach((tag, index) => {
    if (!isLanguageTag(tag))
      faults.push({
        pointer: `/compatibility/locales/${index}`,
        detail: `"${tag}" is not a BCP 47 language tag; write e.g. "en" or "pt-BR".`,
      });
  });
  return faults;
}

function isLanguageTag(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}
