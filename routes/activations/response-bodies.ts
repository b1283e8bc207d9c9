/** The response body of a dry run. */
import type { Static } from '@sinclair/typebox';
import type { Preview } from '../../registry/index.ts';
import { mutable } from '../wire/schema-types.ts';
import type * as schemas from './schemas.ts';

export function previewBody({
  wouldActivate,
  previousVersion,
  differences,
  problems,
  rollout,
}: Preview): Static<typeof schemas.Preview> {
  const { assets, stylesAdded, stylesRemoved } = differences;
  const ended = rollout && { rollout };
  return mutable({ wouldActivate, previousVersion, diff: assets, stylesAdded, stylesRemoved, problems, ...ended });
}
