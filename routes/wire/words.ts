/**
 * Words of the domain that several answers hold, each under a name of its own in the OpenAPI document: a generated client gets one type
 * for one thing.
 */
import * as model from '../../registry/index.ts';
import { closed } from './schema-kit.ts';

export const Actor = closed(model.Actor.properties, { $id: 'Actor', description: 'Who made the change.' });
export const Compatibility = closed(model.Compatibility.properties, {
  $id: 'Compatibility',
  description: 'What the version works with.',
});
export const StyleTitle = closed(model.StyleTitle.properties, {
  $id: 'StyleTitle',
  description: 'A style without its text.',
});
export const Style = closed(model.Style.properties, { $id: 'Style', description: 'A style with its text.' });

/** Everything that is referred to by name. */
export const words = [Actor, Compatibility, StyleTitle, Style];
