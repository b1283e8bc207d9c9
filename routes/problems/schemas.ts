/** Schemas of the pages that explain problems. */
import { Type } from '@sinclair/typebox';
import { PROBLEMS } from '../../plugins/problems/problems.ts';
import { noQuery } from '../wire/parameters.ts';
import { openProblems } from '../wire/problems.ts';
import { jsonResponse } from '../wire/responses.ts';
import { closed } from '../wire/schema-types.ts';

const ProblemKind = closed(
  {
    code: Type.String(),
    status: Type.Integer(),
    title: Type.String(),
    meaning: Type.String({ description: 'What happened, and what to do about it.' }),
  },
  { $id: 'ProblemKind' },
);

export const problemSchemas = [ProblemKind];

// ── Operations ──

export const getProblem = {
  operationId: 'getProblem',
  tags: ['Health'],
  summary: 'Explain an error',
  description: "The page that a problem's `type` links to.",
  params: closed({
    code: Type.String({
      pattern: '^[a-z-]{1,60}$',
      description: 'The `code` of a problem.',
      examples: ['pack-not-found'],
    }),
  }),
  querystring: noQuery,
  response: {
    200: jsonResponse(ProblemKind, 'The meaning.', { code: 'pack-not-found', ...PROBLEMS['pack-not-found'] }),
    ...openProblems('not-found', 'uri-too-long', 'rate-limited', 'overloaded'),
  },
};
