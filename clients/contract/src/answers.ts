/** The parts of response bodies that the checks read. Each body was validated against `openapi.yaml` before. */

export interface Actor {
  readonly keyId: string;
  readonly label: string;
}

export interface StyleTitle {
  readonly id: string;
  readonly title: string;
}

export interface Style extends StyleTitle {
  readonly text: string;
}

/** A pack document, as it is published. */
export interface PackDocument {
  readonly version: string;
  readonly summary: string;
  readonly author: string;
  readonly system: string;
  readonly styles: readonly Style[];
  readonly defaultStyle: string;
  readonly compatibility: object;
}

export interface VersionSummary {
  readonly pack: string;
  readonly version: string;
  readonly digest: string;
  readonly status: 'registered' | 'revoked';
  readonly summary: string;
  readonly author: string;
  readonly publishedAt: string;
  readonly publishedBy: Actor;
  readonly defaultStyle: string;
  readonly styles: readonly StyleTitle[];
  readonly compatibility: object;
  readonly activeIn: readonly string[];
  readonly problems: readonly object[];
  readonly revokedReason?: string;
  readonly replacement?: string;
}

export interface Version extends Omit<VersionSummary, 'styles'> {
  readonly system: string;
  readonly styles: readonly Style[];
}

/** A version as lists and `publishVersion` show it. */
export function summaryOf({ system: _, styles, ...rest }: Version): VersionSummary {
  return { ...rest, styles: styles.map(({ id, title }) => ({ id, title })) };
}

export interface VersionPage {
  readonly pack: string;
  readonly versions: readonly VersionSummary[];
  readonly nextCursor: string | null;
}

export interface Pack {
  readonly pack: string;
  readonly versionCount: number;
  readonly latest: string | null;
  readonly versions: readonly VersionSummary[];
  readonly channels: readonly {
    readonly channel: string;
    readonly version: string;
    readonly digest: string;
    readonly revision: number;
    readonly activatedAt: string;
    readonly activatedBy: Actor;
  }[];
}

export interface Policy {
  readonly pack: string;
  readonly version: number;
  readonly digest: string | null;
  readonly revision: number | null;
  readonly clauses: readonly object[];
  readonly forbidden: readonly object[];
  readonly requiredStyles: readonly string[];
  readonly limits: object;
  readonly placeholders?: readonly string[];
}

interface Origin {
  readonly pack: string;
  readonly channel: string;
  readonly version: string;
  readonly digest: string;
  readonly revision: number;
}

export interface ActivePack extends Origin {
  readonly reason: string;
  readonly activatedAt: string;
  readonly activatedBy: Actor;
  readonly defaultStyle: string;
  readonly compatibility: object;
  readonly system: string;
  readonly styles: readonly Style[];
}

export interface Prompt extends Origin {
  readonly text: string;
  readonly styleId?: string;
  readonly title?: string;
}

export interface StyleList extends Origin {
  readonly defaultStyle: string;
  readonly styles: readonly StyleTitle[];
}

export interface Activation extends Origin {
  readonly kind: 'activation' | 'rollback' | 'revocation';
  readonly previousVersion: string | null;
  readonly actor: Actor;
  readonly reason: string;
  readonly activatedAt: string;
  readonly changed: boolean;
  /** The rollout that the move ended. */
  readonly rollout?: { readonly id: number; readonly state: 'promoted' | 'aborted' };
  readonly instances?: Instances;
}

export interface Instances {
  readonly applied: readonly string[];
  readonly pending: readonly string[];
  readonly pinned: readonly string[];
}

export interface ActivationPage {
  readonly activations: readonly Activation[];
  readonly nextCursor: string | null;
}

export interface Preview {
  readonly diff: readonly object[];
  readonly wouldActivate: string;
  readonly previousVersion: string | null;
  readonly stylesAdded: readonly string[];
  readonly stylesRemoved: readonly string[];
  readonly problems: readonly { readonly rule: string }[];
}

export interface Hunk {
  readonly oldStart: number;
  readonly oldLines: number;
  readonly newStart: number;
  readonly newLines: number;
  readonly lines: readonly string[];
}

export interface Diff {
  readonly pack: string;
  readonly from: string | null;
  readonly to: string;
  readonly assets: readonly { readonly asset: string; readonly change: string; readonly hunks: readonly Hunk[] }[];
  readonly metadata: readonly { readonly field: string; readonly from: string; readonly to: string }[];
  readonly stylesAdded: readonly string[];
  readonly stylesRemoved: readonly string[];
}

export interface Revocation {
  readonly revision: number;
  readonly pack: string;
  readonly version: string;
  readonly moves: readonly {
    readonly channel: string;
    readonly version: string;
    readonly previousVersion: string | null;
  }[];
}

/** `stable`: the active version. `candidate`: the one that is rolled out. */
export type Arm = 'stable' | 'candidate';

export interface Session {
  readonly sessionId: string;
  readonly startedAt: string;
  readonly expiresAt: string;
  readonly promptPack: Origin;
  readonly prompt: { readonly system: string; readonly style: Style };
  readonly superseded: boolean;
  readonly assignment?: { readonly rollout: number; readonly arm: Arm };
  readonly movedFrom?: { readonly version: string; readonly styleId: string };
}

export interface Event {
  readonly revision: number;
  readonly id: string;
  readonly at: string;
  readonly type: string;
  readonly actor: Actor;
  readonly reason: string;
  readonly pack?: string;
  readonly channel?: string;
  readonly version?: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly previousHash: string;
  readonly hash: string;
}

export interface EventPage {
  readonly events: readonly Event[];
  readonly nextAfter: number | null;
}

export interface Head {
  readonly revision: number;
  readonly hash: string;
  readonly at: string;
}

export interface Verification {
  readonly valid: boolean;
  readonly events: number;
  readonly head: { readonly revision: number; readonly hash: string };
}

export interface Key {
  readonly keyId: string;
  readonly label: string;
  readonly scopes: readonly string[];
  readonly createdAt: string;
  /** In lists. */
  readonly createdBy?: Actor;
  readonly expiresAt?: string;
  readonly revokedAt?: string;
  readonly secret?: string;
}

export interface InstanceList {
  readonly instances: readonly {
    readonly id: string;
    readonly startedAt: string;
    readonly lastSeenAt: string;
    readonly appliedRevision: number;
    readonly behind: number;
  }[];
}

export interface Readiness {
  readonly revision: number;
  readonly epoch: number;
  readonly stale: boolean;
  readonly staleSeconds?: number;
}

export interface ProblemKind {
  readonly code: string;
  readonly status: number;
}

/** Problem details, with the members of single codes. */
export interface Problem {
  readonly code: string;
  readonly status: number;
  readonly detail: string;
  readonly instance?: string;
  readonly errors?: readonly { readonly pointer?: string; readonly parameter?: string }[];
  readonly knownPacks?: readonly string[];
  readonly knownVersions?: readonly string[];
  readonly knownChannels?: readonly string[];
  readonly supportedStyles?: readonly string[];
  readonly everActive?: readonly string[];
  readonly candidates?: readonly string[];
  readonly requiredScopes?: readonly string[];
  readonly currentRevision?: number;
  /** Of `session-ended`. */
  readonly reason?: string;
  readonly revision?: number;
}

/** `data` of a message of the stream. */
export interface StreamData {
  readonly revision: number;
  readonly at?: string;
  readonly type?: string;
  readonly pack?: string;
  readonly channel?: string;
  readonly moves?: readonly {
    readonly channel: string;
    readonly version: string;
    readonly previousVersion: string | null;
    readonly digest: string;
  }[];
}
