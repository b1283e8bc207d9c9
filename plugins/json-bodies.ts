/**
 * Accepts only bodies that are well-formed JSON in UTF-8, and sets up validators that refuse instead of repairing.
 *
 * Problem: the framework's defaults strip unknown members, coerce types and replace invalid UTF-8. Then the registry would store something
 * other than the client sent.
 * Rule: `removeAdditional` and `coerceTypes` are off. Paths and queries have only text, so an integer is read from decimal digits and from
 * nothing else. A NUL, a lone surrogate, invalid UTF-8 or a repeated member in a body is a 400.
 * Example: `{"reason": 5}` is refused, not read as `"5"`. `?limit=Infinity` is refused too, which Ajv's own coercion accepts.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import {
  errorCodes,
  type FastifyInstance,
  type FastifySchemaCompiler,
  type FastifyServerOptions,
  type preParsingHookHandler,
} from 'fastify';
import { Ajv, type Options, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import fp from 'fastify-plugin';
import type { TSchema } from '@sinclair/typebox';
import { invalidInput, unfitTexts } from '../registry/index.ts';
import { generalQuery, ReadQuery } from './read-query.ts';
import { repeatedName } from './repeated-names.ts';

// `validateSchema` would compile the meta-schema again for each part of the application, which takes half of the start-up time. The
// compiler (`strict`) and the checks of openapi.yaml already check these schemas.
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

/** At most as many digits as a safe integer has. */
const DECIMAL = /^-?\d{1,16}$/u;

function jsonBodies(app: FastifyInstance, _options: object, done: () => void): void {
  // Not setValidatorCompiler: the framework replaces that one by its default in every context that adds schemas.
  app.setSchemaController({ compilersFactory: { buildValidator, buildSerializer } } as unknown as SchemaController); // the framework's types allow only Ajv's own signature

  // Without a body, the stream has already ended (`optimizeEmptyRequests`), and the framework would wait for its end forever.
  const restream: preParsingHookHandler = (request, _reply, body, next) => {
    const ended = (body as IncomingMessage).readableEnded && request.headers['content-type'] !== undefined;
    next(null, ended ? Readable.from([]) : body);
  };
  app.addHook('onRoute', (route) => {
    if (route.method === 'POST') route.preParsing = [...[route.preParsing ?? []].flat(), restream];
  });
  app.removeContentTypeParser('text/plain');
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, finish) => {
    const coding = request.headers['content-encoding'] ?? 'identity';
    if (coding.toLowerCase() !== 'identity') {
      finish(new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE()); // RFC 9110 section 15.5.16: an unknown coding is a 415
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
      if (faults.length > 0) return finish(invalidInput('The body contains text that cannot be stored.', faults));
      const repeated = repeatedName(text);
      return repeated === undefined
        ? finish(null, body)
        : finish(
            invalidInput('The body has a repeated member.', [
              { pointer: repeated, detail: 'Send each member once. It is not clear which of the two is meant.' },
            ]),
          );
    });
  });
  done();
}

export default fp(jsonBodies, { name: 'json-bodies' });

type SchemaController = NonNullable<FastifyServerOptions['schemaController']>;

/**
 * Builds the validators of one context. Each is compiled at the first request that needs it: compiling all of them would take half of the
 * start-up time. The contract tests call every operation, so they prove that every schema compiles.
 * @param shared the schemas that others refer to by `$id`
 */
function buildValidator(shared: Readonly<Record<string, TSchema>>): FastifySchemaCompiler<TSchema> {
  let ajv: Ajv | undefined;
  return ({ schema, httpPart }) => {
    const validate = compiledLater(() => (ajv ??= newAjv(shared)).compile(schema));
    switch (httpPart) {
      case 'headers':
        return unlessFree(validate, schema);
      case 'params':
        return fromText(validate, schema);
      case 'querystring':
        return unlessKnown(fromText(validate, schema), schema);
      default:
        return validate;
    }
  };
}

/** The same validator, which is run only if a header was sent that it may refuse. Headers are text, so an optional text is always right. */
function unlessFree(validate: ValidateFunction, schema: TSchema): ValidateFunction {
  const { properties = {}, required = [], ...others } = schema;
  if (Object.keys(others).join() !== 'type' || (required as string[]).length > 0) return validate;
  const constraints = ['minLength', 'maxLength', 'pattern', 'format', 'enum', 'const', '$ref'];
  const constrained = Object.entries(properties as Record<string, TSchema>)
    .filter(([, { type, ...rest }]) => type !== 'string' || constraints.some((constraint) => constraint in rest))
    .map(([name]) => name);
  return unless((headers) => constrained.every((name) => headers[name] === undefined), validate);
}

/** The same validator, which is not run for a query that is empty, if none is required, or that was checked when it was parsed. */
function unlessKnown(validate: ValidateFunction, { properties = {}, required = [] }: TSchema): ValidateFunction {
  const known = new Set(Object.keys(properties as object));
  const isRead = known.has('subject') && known.has('attribute');
  const needsNone = (required as string[]).length === 0;
  return unless((query) => {
    if (!(query instanceof ReadQuery)) return needsNone && Object.keys(query).length === 0;
    return (
      isRead && (query.pack === undefined || known.has('pack')) && (query.channel === undefined || known.has('channel'))
    );
  }, validate);
}

/** The same validator, which is not run for data that is right anyway. */
function unless(
  isRight: (data: object & Record<string, unknown>) => boolean,
  validate: ValidateFunction,
): ValidateFunction {
  const checking = (data: Record<string, unknown>): boolean => {
    if (isRight(data)) return true;
    const valid = validate(data);
    checking.errors = validate.errors;
    return valid;
  };
  checking.errors = undefined as ValidateFunction['errors'];
  return checking as unknown as ValidateFunction;
}

function newAjv(shared: Readonly<Record<string, TSchema>>): Ajv {
  const ajv = new Ajv(RULES);
  (formats as unknown as (ajv: Ajv, names: string[]) => Ajv)(ajv, ['date-time', 'uri-reference']);
  const { validate } = ajv.formats['date-time'] as { validate: (text: string) => boolean };
  ajv.addFormat('date-time', (text: string) => validate(text) && isRepresentable(text));
  // OpenAPI keywords that the schemas carry for the document.
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
 * Responses are serialised as they are. Compiling a serialiser from each response schema would take half of the start-up time, and such
 * serialisers silently drop unknown members. The contract tests check responses against their schemas instead.
 */
function buildSerializer(): () => typeof JSON.stringify {
  return () => JSON.stringify;
}

/** The same validator for values that arrive as text: an integer in decimal digits, a list of one entry as that entry. */
function fromText(validate: ValidateFunction, schema: TSchema): ValidateFunction {
  const [integers, lists] = [membersOf(schema, 'integer'), membersOf(schema, 'array')];
  const reading = (given: Record<string, unknown>): boolean => {
    const data = generalQuery(given);
    for (const name of lists) if (typeof data[name] === 'string') data[name] = [data[name]];
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

/** The members of an object that have a type. */
function membersOf({ properties = {} }: TSchema, type: string): string[] {
  return Object.entries(properties as Record<string, TSchema>).flatMap(([name, member]) =>
    member['type'] === type ? [name] : [],
  );
}

const FIRST = Date.parse('0000-01-01T00:00:00Z');
const LAST = Date.parse('9999-12-31T23:59:59.999Z');

/** RFC 3339 has times that a Date cannot represent: leap seconds, and times that are outside the years 0000 to 9999 in UTC. */
function isRepresentable(text: string): boolean {
  const time = Date.parse(text);
  return time >= FIRST && time <= LAST;
}
