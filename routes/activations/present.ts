/** Previews as they are answered. */
import type { Static } from '@sinclair/typebox';
import type { Preview } from '../../registry/index.ts';
import { mutable } from '../wire/schema-kit.ts';
import type * as wire from './schemas.ts';

export function previewAnswer({
  wouldActivate,
  previousVersion,
  differences,
  problems,
}: Preview): Static<typeof wire.Preview> {
  const { assets, stylesAdded, stylesRemoved } = differences;
  return mutable({ wouldActivate, previousVersion, diff: assets, stylesAdded, stylesRemoved, problems });
}
