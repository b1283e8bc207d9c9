/** `data` of the events about API keys. */
import type { Scope } from '../../model.ts';

/** A scheduled activation that was cancelled with the key that had scheduled it. */
export interface CancelledActivation {
  readonly pack: string;
  readonly channel: string;
  /** Its id. */
  readonly schedule: string;
}

export interface KeyEvents {
  'key-created': {
    readonly keyId: string;
    readonly label: string;
    readonly scopes: readonly Scope[];
    readonly expiresAt?: string;
    readonly secretHash: string;
    /** Only in events of the service itself: the instance or host whose DATA_DIR has the operator key. */
    readonly madeBy?: string;
  };
  'key-revoked': {
    readonly keyId: string;
    /** The pending scheduled activations of the key: they are cancelled with it. */
    readonly cancelled?: readonly CancelledActivation[];
  };
}
