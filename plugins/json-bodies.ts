/**
 * Bodies: JSON only, in UTF-8, well-formed to the last character; and validators that refuse instead of repairing.
 *
 * Problem: the framework's defaults strip unknown members, coerce types and replace bytes that are no UTF-8, so that what is
 * stored would not be what was sent.
 * Rule: `removeAdditional` and `coerceTypes` off everywhere; in a query, where all is text, an integer is read from decimal digits
 * and from nothing else; a NUL, a lone surrogate, broken UTF-8 or a member named twice in a body is a 400.
 * Example: `{"reason": 5}` is refused, never read as `"5"`; so is `?limit=Infinity`, which Ajv's own coercion lets pass.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { errorCodes, type FastifyInstance, type FastifySchemaCompiler, type FastifyServerOptions } from 'fastify';
import { Ajv, type Options, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import fp from 'fastify-plugin';
import type { TSchema } from '@sinclair/typebox';
import { invalidInput, unfitTexts } from '../registry/index.ts';
import { repeatedName } from './repeated-names.ts';

// `validateSchema` would compile JSON Schema's own schema anew for each part of the application: half of a start's time, for
// schemas that the compiler (`strict`) and the checks of openapi.yaml have looked at.
const RULES: Options = {
  validateSchema: false,
  removeAdditional: false,
  coerceTypes: false,
  useDefaults: false,
  allErrors: false,
  verbose: true,
  strict: true,
  strictTypes: false,
  allowUnionTypes: true,
};

/** As many digits as a safe integer has. */
const DECIMAL = /^-?\d{1,16}$/u;

function jsonBodies(app: FastifyInstance, _options: object, done: () => void): void {
  // Not setValidatorCompiler: where routes add schemas of their own, the framework puts its defaults back in that one's place.
  app.setSchemaController({ compilersFactory: { buildValidator, buildSerializer } } as unknown as SchemaController); // its types know Ajv's own signature only

  // The body of a request without one has ended before anybody looks (`optimizeEmptyRequests`); the framework would wait for its end.
  app.addHook('preParsing', (request, _reply, body, next) => {
    next(
      null,
      (body as IncomingMessage).readableEnded && request.headers['content-type'] !== undefined
        ? Readable.from([])
        : body,
    );
  });
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
      if (faults.length > 0) return finish(invalidInput('The body holds what cannot be kept.', faults));
      const repeated = repeatedName(text);
      return repeated === undefined
        ? finish(null, body)
        : finish(
            invalidInput('The body names a member twice.', [
              { pointer: repeated, detail: 'Name each member once; which of them is meant cannot be known.' },
            ]),
          );
    });
  });
  done();
}

export default fp(jsonBodies, { name: 'json-bodies' });

type SchemaController = NonNullable<FastifyServerOptions['schemaController']>;

/**
 * Makes the validators of a part of the application; each is compiled at the first request that needs it. To compile them all would take
 * half of a start's time; that each can be compiled is shown by the contract suites, which ask every operation.
 * @param shared schemas that others refer to by `$id`
 */
function buildValidator(shared: Readonly<Record<string, TSchema>>): FastifySchemaCompiler<TSchema> {
  let ajv: Ajv | undefined;
  return ({ schema, httpPart }) => {
    const validate = compiledLater(() => (ajv ??= newAjv(shared)).compile(schema));
    return httpPart === 'querystring' ? fromText(validate, integersOf(schema)) : validate;
  };
}

function newAjv(shared: Readonly<Record<string, TSchema>>): Ajv {
  const ajv = new Ajv(RULES);
  (formats as unknown as (ajv: Ajv, names: string[]) => Ajv)(ajv, ['date-time', 'uri-reference']);
  const { validate } = ajv.formats['date-time'] as { validate: (text: string) => boolean };
  ajv.addFormat('date-time', (text: string) => validate(text) && isTellable(text));
  // TypeBox leaves these beside the JSON Schema keywords for documents' sake.
  for (const keyword of ['example']) ajv.addKeyword(keyword);
  for (const schema of Object.values(shared)) ajv.addSchema(schema);
  return ajv;
}

function compiledLater(compile: () => ValidateFunction): ValidateFunction {
  let compiled: ValidateFunction | undefined;
  const validate = (data: unknown): boolean => {
    compiled ??= compile();
    const valid = compiled(data);
    validate.errors = compiled.errors;
    return valid;
  };
  validate.errors = undefined as ValidateFunction['errors'];
  return validate as unknown as ValidateFunction;
}

/**
 * Answers are serialised as they are. A serialiser compiled from each answer's schema would take half of a start's time, and would
 * drop members that it does not know without a word; the contract suites hold answers to their schemas instead.
 */
function buildSerializer(): () => typeof JSON.stringify {
  return () => JSON.stringify;
}

/** The same validator for values that came as text. @param integers the members that are integers */
function fromText(validate: ValidateFunction, integers: readonly string[]): ValidateFunction {
  if (integers.length === 0) return validate;
  const reading = (data: Record<string, unknown>): boolean => {
    for (const name of integers) {
      const text = data[name];
      if (typeof text === 'string' && DECIMAL.test(text) && Number.isSafeInteger(Number(text)))
        data[name] = Number(text);
    }
    const valid = validate(data);
    reading.errors = validate.errors;
    return valid;
  };
  reading.errors = undefined as ValidateFunction['errors'];
  return reading as unknown as ValidateFunction;
}

function integersOf({ properties = {} }: TSchema): string[] {
  return Object.entries(properties as Record<string, TSchema>).flatMap(([name, { type }]) =>
    type === 'integer' ? [name] : [],
  );
}

const FIRST = Date.parse('0000-01-01T00:00:00Z');
const LAST = Date.parse('9999-12-31T23:59:59.999Z');

/** RFC 3339 has times that a Date cannot tell: leap seconds; and in UTC some lie outside of the years that it can write. */
function isTellable(text: string): boolean {
  const time = Date.parse(text);
  return time >= FIRST && time <= LAST;
}
