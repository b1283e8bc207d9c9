/**
 * Bodies: JSON only, in UTF-8, well-formed to the last character; and validators that refuse instead of repairing.
 *
 * Problem: the framework's defaults strip unknown members, coerce types and replace bytes that are no UTF-8, so that what is
 * stored would not be what was sent.
 * Rule: `removeAdditional` off everywhere; types are coerced in query, path and headers only, where all is text; a NUL, a lone
 * surrogate or broken UTF-8 in a body is a 400.
 * Example: `{"reason": 5}` is refused, never read as `"5"`.
 */
import { errorCodes, type FastifyInstance, type FastifySchemaCompiler, type FastifyServerOptions } from 'fastify';
import { Ajv, type Options } from 'ajv';
import formats from 'ajv-formats';
import fp from 'fastify-plugin';
import type { TSchema } from '@sinclair/typebox';
import { invalidInput, unfitTexts } from '../registry/index.ts';

// `validateSchema` would compile JSON Schema's own schema anew for each part of the application: half of a start's time, for
// schemas that the compiler (`strict`) and the checks of openapi.yaml have looked at.
const RULES: Options = { validateSchema: false, removeAdditional: false, useDefaults: false, allErrors: false, strict: true, strictTypes: false, allowUnionTypes: true };

function jsonBodies(app: FastifyInstance, _options: object, done: () => void): void {
  // Not setValidatorCompiler: where routes add schemas of their own, the framework puts its defaults back in that one's place.
  app.setSchemaController({ compilersFactory: { buildValidator } } as unknown as SchemaController); // its types know Ajv's own signature only

  app.removeContentTypeParser('text/plain');
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, finish) => {
    const coding = request.headers['content-encoding'] ?? 'identity';
    if (coding.toLowerCase() !== 'identity') {
      finish(new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE()); // RFC 9110 section 15.5.16: a coding that is not known is a 415 too
      return;
    }
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(bytes as Buffer);
    } catch {
      finish(invalidInput('The body is not UTF-8.', [{ pointer: '', detail: 'Send the body in UTF-8.' }]));
      return;
    }
    void parse(request, text, (error, body) => {
      if (error !== null) return finish(error);
      const faults = unfitTexts(body).slice(0, 20);
      return faults.length === 0 ? finish(null, body) : finish(invalidInput('The body holds a text that cannot be kept.', faults));
    });
  });
  done();
}

export default fp(jsonBodies, { name: 'json-bodies' });

type SchemaController = NonNullable<FastifyServerOptions['schemaController']>;

/** Makes the validators of a part of the application. @param shared schemas that others refer to by `$id` */
function buildValidator(shared: Readonly<Record<string, TSchema>>): FastifySchemaCompiler<TSchema> {
  const exact = validator(shared, { coerceTypes: false });
  const fromText = validator(shared, { coerceTypes: true });
  return ({ schema, httpPart }) => (httpPart === 'body' ? exact : fromText).compile(schema);
}

function validator(shared: Readonly<Record<string, TSchema>>, options: Options): Ajv {
  const ajv = new Ajv({ ...RULES, ...options });
  (formats as unknown as (ajv: Ajv, names: string[]) => Ajv)(ajv, ['date-time', 'uri-reference']);
  // TypeBox leaves these beside the JSON Schema keywords for documents' sake.
  for (const keyword of ['example']) ajv.addKeyword(keyword);
  for (const schema of Object.values(shared)) ajv.addSchema(schema);
  return ajv;
}
