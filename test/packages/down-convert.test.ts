/** Generators that read OpenAPI 3.0 only get a document from the converter that docs/clients.md names. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Validator } from '@seriousme/openapi-schema-validator';
import t from 'tap';
import { parse } from 'yaml';
import { installTool } from '../../scripts/tools.ts';
import { newFolder } from '../support/process/folder.ts';
import { OPENAPI, type OpenApiDocument } from '../support/http/openapi.ts';
import { ROOT } from '../support/apps/server-process.ts';

const run = promisify(execFile);
const { NODE_OPTIONS: _, ...ENV } = process.env; // tap's own hooks
const CONVERTER = join(installTool('down-convert'), 'node_modules', '.bin', 'openapi-down-convert');

const operationIds = ({ paths }: OpenApiDocument) =>
  Object.values(paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));

t.test('in OpenAPI 3.0 it is a valid document with the same operations', async (t) => {
  const file = join(newFolder(t), 'openapi-3.0.yaml');
  await run(process.execPath, [CONVERTER, '--input', join(ROOT, 'openapi.yaml'), '--output', file], { env: ENV });
  const document = parse(readFileSync(file, 'utf8')) as OpenApiDocument;
  const validator = new Validator();
  t.match(await validator.validate(structuredClone(document) as unknown as Record<string, unknown>), { valid: true });
  t.equal(validator.version, '3.0');
  t.strictSame(operationIds(document), operationIds(OPENAPI));
  t.match(
    document.components.schemas['Pack'],
    { properties: { latest: { nullable: true } } },
    'what may be null is so there as well',
  );
});
