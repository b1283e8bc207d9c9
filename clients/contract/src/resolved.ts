/**
 * An OpenAPI document whose operations are complete in themselves: the references in them are replaced by what they refer to.
 *
 * Rule: references to schemas stay, because a schema's name has a meaning and a validator resolves it. Every other reference is replaced.
 * Example: `"404": {$ref: "#/components/responses/PackNotFound"}` becomes that response, with its headers and examples.
 */

interface Document {
  readonly components: Readonly<Record<string, unknown>>;
  readonly paths: unknown;
}

/** What these members hold is a schema or data. A `$ref` in it is not a reference to a component that is replaced here. */
const OPAQUE: ReadonlySet<string> = new Set(['schema', 'value', 'example']);

/** @throws Error if a reference leads nowhere, out of the document, or back to itself */
export function resolved<T extends object>(document: T): T {
  const { components = {}, paths } = document as Partial<Document>;
  const { headers: _h, parameters: _p, examples: _e, responses: _r, requestBodies: _b, ...kept } = components;
  return { ...document, components: kept, paths: inlined(paths, components, []) };
}

/** @param trail the references that led here */
function inlined(value: unknown, components: Document['components'], trail: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((each) => inlined(each, components, trail));
  if (typeof value !== 'object' || value === null) return value;
  if ('$ref' in value) {
    const reference = String(value.$ref);
    const target = componentAt(reference, components);
    if (target === undefined || trail.includes(reference))
      throw new Error(`The OpenAPI document has a reference that leads nowhere: ${reference}`);
    return inlined(target, components, [...trail, reference]);
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      OPAQUE.has(name) ? (member as unknown) : inlined(member, components, trail),
    ]),
  );
}

function componentAt(reference: string, components: Document['components']): unknown {
  const [, section = '', name = ''] = /^#\/components\/(\w+)\/([\w.-]+)$/u.exec(reference) ?? [];
  return (components[section] as Readonly<Record<string, unknown>> | undefined)?.[name];
}
