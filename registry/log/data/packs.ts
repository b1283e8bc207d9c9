/** `data` of the events about versions and their policy. */
import type { Compatibility, Policy, StyleTitle, Violation } from '../../model.ts';

export interface PackEvents {
  'version-published': {
    readonly digest: string;
    readonly summary: string;
    readonly author: string;
    readonly defaultStyle: string;
    readonly styles: readonly Readonly<StyleTitle>[];
    readonly compatibility: Readonly<Compatibility>;
    /** What the policy in force found; absent in events older than policies. */
    readonly violations?: readonly Violation[];
  };
  'policy-changed': {
    readonly policy: Policy;
    readonly digest: string;
    /** Every version of the pack that breaks the policy. */
    readonly violations: readonly { readonly version: string; readonly violations: readonly Violation[] }[];
  };
}
