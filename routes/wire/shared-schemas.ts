/** Schemas that several resources use. Each has a name in the OpenAPI document, so a generated client gets one type for it. */
import * as model from '../../registry/index.ts';
import { closed } from './schema-types.ts';

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
/** The body of a change that needs only a reason. */
export const ReasonBody = closed(
  { reason: model.Reason },
  { $id: 'ReasonRequest', examples: [{ reason: 'Answers are fine' }] },
);

export const sharedSchemas = [Actor, Compatibility, StyleTitle, Style, ReasonBody];
