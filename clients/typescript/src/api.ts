/** The types of the API, generated from openapi.yaml by "npm run client:types". Do not edit. */

export interface paths {
    "/v1/packs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the packs
         * @description Every pack with its channels and its 20 highest versions. Scope: `prompts:read`.
         */
        get: operations["listPacks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packs/{pack}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a pack
         * @description One pack with its channels and its 20 highest versions. Scope: `prompts:read`.
         */
        get: operations["getPack"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packs/{pack}/policy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a pack's policy
         * @description The floor: the conditions that every version of the pack must meet before it can be active. Scope: `prompts:read`.
         */
        get: operations["getPolicy"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packs/{pack}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List a pack's versions
         * @description The highest SemVer comes first, page by page. Scope: `prompts:read`.
         */
        get: operations["listVersions"];
        put?: never;
        /**
         * Register a version
         * @description Registers an immutable version. Publishing does not activate it. A new pack name creates the pack. Publishing the same again succeeds without effect; anything else under the same version is refused. Scope: `packs:publish`.
         */
        post: operations["publishVersion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packs/{pack}/versions/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a version
         * @description A registered version with its texts, active or not. The texts of a revoked version need `audit:read`. Scope: `prompts:read`.
         */
        get: operations["getVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packs/{pack}/versions/{version}/diff": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Compare two versions
         * @description Unified hunks for each prompt, changes of metadata, and styles added and removed, from the version `against` to this one. If either is revoked, this needs `audit:read`. Scope: `prompts:read`.
         */
        get: operations["diffVersions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packs/{pack}/versions/{version}/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Revoke a version
         * @description Revokes a version permanently: from the response on, it is neither read nor activated nor served to sessions. Channels that point at it move in the same event, to `replacement` or down their stack. Sessions pinned to it continue on its replacement, or end. Scope: `packs:revoke`.
         */
        post: operations["revokeVersion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packs/{pack}/active": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the active pack
         * @description The whole version that the channel points at: system prompt, styles and metadata. Supports conditional requests. Scope: `prompts:read`.
         */
        get: operations["getActivePack"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packs/{pack}/activations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List a pack's activations
         * @description Every move of its channels, including rollbacks and revocations, newest first, page by page. With `at`, the first entry is the move in force at that time. Scope: `audit:read`.
         */
        get: operations["listActivations"];
        put?: never;
        /**
         * Activate a version
         * @description Points a channel at any registered version, in one atomic step. Activating the version that is already active succeeds without effect. Scope: `packs:activate`.
         */
        post: operations["activateVersion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packs/{pack}/rollback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Roll back a channel
         * @description Goes one step down the stack of versions that were active in the channel, or to `toVersion`. A second rollback goes one step further down, never forward again. Send `fromVersion` or `If-Match`, so that two operators do not roll back twice. Scope: `packs:activate`.
         */
        post: operations["rollbackPack"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/prompts/system": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the system prompt
         * @description The system prompt of the active version. Default: the default pack and channel. Supports conditional requests. Scope: `prompts:read`.
         */
        get: operations["getSystemPrompt"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/prompts/styles": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the styles
         * @description The styles that the active version supports, in the order of the version. Supports conditional requests. Scope: `prompts:read`.
         */
        get: operations["listStyles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/prompts/styles/{styleId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a style's prompt
         * @description The prompt of one style. If the active version lacks the style, the 404 lists the styles that it has. Supports conditional requests. Scope: `prompts:read`.
         */
        get: operations["getStylePrompt"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packs/{pack}/channels/{channel}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a channel
         * @description Both arms of the channel and the rule that decides between them, its trial and its schedule. Supports conditional requests. Scope: `prompts:read`.
         */
        get: operations["getChannel"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packs/{pack}/channels/{channel}/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm a trial
         * @description The version that is on trial stays active. Scope: `packs:activate`.
         */
        post: operations["confirmActivation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packs/{pack}/rollouts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List a pack's rollouts
         * @description The newest first, page by page, those that have ended included. Scope: `prompts:read`.
         */
        get: operations["listRollouts"];
        put?: never;
        /**
         * Start a rollout
         * @description Gives a version to a share of the subjects of a channel, and raises the share step by step. Everybody else stays on the active version. A rollback ends it. Scope: `packs:activate`.
         */
        post: operations["startRollout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packs/{pack}/rollouts/{rollout}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a rollout
         * @description A rollout with its plan and how far it is. Supports conditional requests. Scope: `prompts:read`.
         */
        get: operations["getRollout"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packs/{pack}/rollouts/{rollout}/advance": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Advance a rollout
         * @description Takes the next step of the plan, or sets a share; the plan then goes on with the first step above it. Scope: `packs:activate`.
         */
        post: operations["advanceRollout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packs/{pack}/rollouts/{rollout}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pause a rollout
         * @description The share keeps serving. The wait of the plan stops, and goes on when the rollout is resumed. Scope: `packs:activate`.
         */
        post: operations["pauseRollout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packs/{pack}/rollouts/{rollout}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resume a rollout
         * @description The wait of the plan goes on where it stopped. Scope: `packs:activate`.
         */
        post: operations["resumeRollout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packs/{pack}/rollouts/{rollout}/promote": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Promote a rollout
         * @description Everybody gets the candidate: it becomes the active version of the channel. Scope: `packs:activate`.
         */
        post: operations["promoteRollout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packs/{pack}/rollouts/{rollout}/abort": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Abort a rollout
         * @description Everybody is on the stable version again. `rollbackPack` does the same. Scope: `packs:activate`.
         */
        post: operations["abortRollout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packs/{pack}/schedule": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the scheduled activations of a channel
         * @description The pending ones. Those that were made or skipped are in the audit. Scope: `prompts:read`.
         */
        get: operations["listSchedule"];
        put?: never;
        /**
         * Schedule an activation
         * @description Activates a version at a time. If the channel moves before, or the version may not be active then, it is skipped, and an event says why. At most 20 are pending in a channel. Scope: `packs:activate`.
         */
        post: operations["scheduleActivation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packs/{pack}/schedule/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a scheduled activation
         * @description The activation is not made. `revokeKey` does the same to all that the key has scheduled. Scope: `packs:activate`.
         */
        post: operations["cancelScheduledActivation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/coach/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start a coach session
         * @description Starts a session on the active version of the default pack. The response says which version it is; the session keeps it until it expires. Scope: `sessions:start`.
         */
        post: operations["startCoachSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/coach/sessions/{sessionId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a coach session
         * @description The session with the version that was pinned at its start, whatever activations, rollbacks and restarts followed. If that version was revoked, its replacement. Scope: `prompts:read`.
         */
        get: operations["getCoachSession"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List events
         * @description Who did what, when and why, page by page. An event must match all filters. The oldest event comes first: send `after=<nextAfter>` for the next page. With `order=newest`, the newest comes first: send `before=<nextBefore>`. Scope: `audit:read`.
         */
        get: operations["listEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/head": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the head of the log
         * @description The revision and hash of the last event. Keep them outside the registry, so that a truncated or rewritten log can be found later. Scope: `audit:read`.
         */
        get: operations["getAuditHead"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/verification": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check the whole log
         * @description Hashes every event and every content again. It finds each changed, removed, reordered or inserted event, and each changed content. A rewrite of the whole chain is found only against a head that was kept outside (`npm run audit:verify -- --head REVISION:HASH`). A long log takes a while. Scope: `audit:read`.
         */
        get: operations["verifyAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Stream events
         * @description Server-Sent Events. The first message is `event: revision` with the current position in the log. Then each revision is one message: `event` is the type of the event, and `data` says which channels moved where. Messages have no prompt texts.
         *
         *     The `id` of a message is the position up to which you have received everything. Send it as `Last-Event-ID` to resume, on any instance, without a gap or a repeat.
         *
         *     If that position is not in the log, because a database was restored, the first message is `event: resync`: read again what you keep, then continue from here.
         *
         *     `event: heartbeat` comes every 15 s. With `pack` or `channel`, only events that may change what they serve are sent; the `id` of a heartbeat skips the others. A reader that is too slow is disconnected, and can resume.
         *
         *     Swagger UI cannot show a response that does not end, so there is no Execute button here. In a shell: `curl -N -H "Authorization: Bearer prk_…" <this server>/v1/events`. Scope: `prompts:read`.
         */
        get: operations["streamEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the keys
         * @description Every key that was ever created, including revoked ones, in order of creation. Secrets are never shown. Scope: `keys:admin`.
         */
        get: operations["listKeys"];
        put?: never;
        /**
         * Create a key
         * @description The whole token is in `secret` of this response and nowhere else. A key can grant only scopes that it has. Scope: `keys:admin`.
         */
        post: operations["createKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys/{keyId}/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Revoke a key
         * @description The key stops working with the next request, and what it has scheduled is cancelled. You cannot revoke a key that can do more than yours. Scope: `keys:admin`.
         */
        post: operations["revokeKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/instances": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the instances
         * @description Every instance with a lease in the store, as far as the instance that responds knows, the longest running first. An instance that has not renewed its lease for ten minutes is removed. Scope: `audit:read`.
         */
        get: operations["listInstances"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Is it alive?
         * @description Depends only on the process itself. Restart the process if this fails.
         */
        get: operations["live"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Is it ready?
         * @description Ready once there is a whole snapshot to serve, until the process is asked to stop. Send no requests to an instance that is not ready. An instance that has lost its store stays ready: it serves what it has, and reports `stale` here and in every response.
         */
        get: operations["ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the metrics
         * @description For Prometheus: requests, reads per version, moves, freshness, the store, the process. docs/observability explains each metric. Scope: `metrics:read`.
         */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/problems/{code}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Explain an error
         * @description The page that a problem's `type` links to.
         */
        get: operations["getProblem"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description RFC 9457 problem details. */
        Problem: {
            /**
             * Format: uri-reference
             * @description Link to a page that explains the error.
             * @example /problems/pack-not-found
             */
            type: string;
            /** @example No such pack */
            title: string;
            /** @example 404 */
            status: number;
            /** @description What is wrong with this request, where, and how to fix it. */
            detail: string;
            /**
             * Format: uri-reference
             * @description The path of the request.
             * @example /v1/packs/choach
             */
            instance?: string;
            /**
             * @description Stable, for programs.
             * @example validation-failed
             * @enum {string}
             */
            code: "validation-failed" | "pack-not-found" | "version-not-found" | "channel-not-found" | "style-not-found" | "session-not-found" | "key-not-found" | "forbidden" | "policy-violated" | "unknown-version" | "style-not-supported" | "version-exists" | "version-revoked" | "replacement-required" | "content-revoked" | "idempotency-mismatch" | "nothing-to-roll-back-to" | "never-active" | "not-active" | "revision-conflict" | "store-unavailable" | "store-busy" | "outcome-unknown" | "revision-not-reached" | "revision-unknown" | "not-ready" | "rollout-not-found" | "rollout-running" | "rollout-ended" | "already-active" | "trial-running" | "no-trial" | "schedule-not-found" | "schedule-full" | "older-instances" | "session-ended" | "unauthenticated" | "not-found" | "method-not-allowed" | "request-timeout" | "payload-too-large" | "uri-too-long" | "unsupported-media-type" | "header-too-large" | "rate-limited" | "overloaded" | "internal";
            errors?: {
                pointer?: string;
                parameter?: string;
                detail: string;
            }[];
            knownPacks?: components["schemas"]["PackName"][];
            knownVersions?: components["schemas"]["VersionNumber"][];
            knownChannels?: components["schemas"]["ChannelName"][];
            supportedStyles?: components["schemas"]["StyleId"][];
            everActive?: components["schemas"]["VersionNumber"][];
            currentRevision?: number;
            eventId?: string;
            requestId?: string;
            requiredScopes?: components["schemas"]["Scope"][];
            violations?: components["schemas"]["Violation"][];
            /** @description The rollout that is in the way. */
            rollout?: components["schemas"]["RolloutId"];
            /**
             * @description SemVer 2.0.0 without build metadata.
             * @example 1.1.0
             */
            activeVersion?: string | null;
            /** @description How the rollout ended: `promoted` or `aborted`. */
            state?: string;
            /** @description When the rollout ended. */
            endedAt?: string;
            /** @description When the trial ends. */
            revertAt?: string;
            /** @description Live instances of an older build. */
            instances?: string[];
            /** @description Why the session was ended. */
            reason?: string;
            /** @description The event that ended the session. */
            revision?: number;
            /** @description Versions that can be the replacement. */
            candidates?: components["schemas"]["VersionNumber"][];
        } & {
            [key: string]: unknown;
        };
        /** @description Which instances have applied the move. Present if the request asked to wait. */
        InstancesReached: {
            /** @description They serve the move, or a later one. */
            applied: string[];
            /** @description They have not applied the move yet. */
            pending: string[];
            /** @description They serve a forced version (`PIN_VERSION`), whatever the log says. */
            pinned: string[];
            /** @description They have not renewed their lease for seven seconds: stopped, cut off or gone. If they still respond, the response is marked `Registry-Stale`. */
            expired: string[];
        };
        /** @description Who made the change. */
        Actor: {
            /** @example system */
            keyId: string;
            /** @example system */
            label: string;
        };
        /** @description What the version works with. */
        Compatibility: {
            /** @description Model families that the prompts were written and tested for. */
            models: {
                /** @example anthropic */
                provider: string;
                /** @example claude */
                family: string;
            }[];
            /** @description Clients that can work with the pack, by version range. */
            clients: {
                /** @example coach-web */
                name: string;
                /**
                 * @description A SemVer range.
                 * @example >=2.0.0 <4.0.0
                 */
                range: string;
            }[];
            locales: string[];
            /**
             * @description Version of the pack format. This service supports 1.
             * @example 1
             */
            packFormat: number;
        };
        /** @description A style without its text. */
        StyleTitle: {
            id: components["schemas"]["StyleId"];
            title: components["schemas"]["StyleName"];
        };
        /** @description A style with its text. */
        Style: {
            id: components["schemas"]["StyleId"];
            title: components["schemas"]["StyleName"];
            /**
             * @description The style prompt.
             * @example Lead with what went well.
             */
            text: string;
        };
        /**
         * @example {
         *       "reason": "Answers are fine"
         *     }
         */
        ReasonRequest: {
            reason: components["schemas"]["Reason"];
        };
        /** @description One reason why a version cannot be activated. */
        Violation: {
            /**
             * @description The kind of rule that is broken.
             * @example clause
             * @enum {string}
             */
            rule: "clause" | "forbidden" | "required-style" | "limit" | "placeholder" | "revoked";
            /**
             * @description The clause, pattern, style or placeholder that the rule names.
             * @example not-a-professional
             */
            id?: string;
            /**
             * @description Where: `system` or `styles/<id>`.
             * @example system
             */
            asset?: string;
            /** @description What is wrong and how to fix it. */
            detail: string;
        };
        /** @description A version without its texts. */
        VersionSummary: {
            pack: components["schemas"]["PackName"];
            version: components["schemas"]["VersionNumber"];
            digest: components["schemas"]["Digest"];
            /**
             * @description A revoked version is never active again, and never served to sessions. A key with `audit:read` can still read its texts.
             * @example registered
             * @enum {string}
             */
            status: "registered" | "revoked";
            summary: components["schemas"]["Summary"];
            author: components["schemas"]["AuthorName"];
            publishedAt: components["schemas"]["Timestamp"];
            publishedBy: components["schemas"]["Actor"];
            defaultStyle: components["schemas"]["StyleId"];
            compatibility: components["schemas"]["Compatibility"];
            /** @description Channels that point at this version. */
            activeIn: components["schemas"]["ChannelName"][];
            /** @description Why the version cannot be activated; empty if it can. */
            problems: components["schemas"]["Violation"][];
            revokedReason?: components["schemas"]["Reason"];
            revokedAt?: components["schemas"]["Timestamp"];
            /** @description The version that replaces it since it was revoked. */
            replacement?: components["schemas"]["VersionNumber"];
            styles: components["schemas"]["StyleTitle"][];
        };
        /** @description A version with its texts. */
        Version: {
            pack: components["schemas"]["PackName"];
            version: components["schemas"]["VersionNumber"];
            digest: components["schemas"]["Digest"];
            /**
             * @description A revoked version is never active again, and never served to sessions. A key with `audit:read` can still read its texts.
             * @example registered
             * @enum {string}
             */
            status: "registered" | "revoked";
            summary: components["schemas"]["Summary"];
            author: components["schemas"]["AuthorName"];
            publishedAt: components["schemas"]["Timestamp"];
            publishedBy: components["schemas"]["Actor"];
            defaultStyle: components["schemas"]["StyleId"];
            compatibility: components["schemas"]["Compatibility"];
            /** @description Channels that point at this version. */
            activeIn: components["schemas"]["ChannelName"][];
            /** @description Why the version cannot be activated; empty if it can. */
            problems: components["schemas"]["Violation"][];
            revokedReason?: components["schemas"]["Reason"];
            revokedAt?: components["schemas"]["Timestamp"];
            /** @description The version that replaces it since it was revoked. */
            replacement?: components["schemas"]["VersionNumber"];
            system: string;
            styles: components["schemas"]["Style"][];
        };
        VersionPage: {
            pack: components["schemas"]["PackName"];
            versions: components["schemas"]["VersionSummary"][];
            /**
             * @description Send it as `cursor` for the next page; null on the last page.
             * @example MS4wLjA
             */
            nextCursor: string | null;
        };
        /**
         * @description A version to register. Once registered, it never changes. `defaultStyle` is the id of one of the styles.
         * @example {
         *       "version": "1.2.0",
         *       "summary": "Warmer openings",
         *       "author": "Coaching content team",
         *       "system": "You are a coach, not a therapist.",
         *       "styles": [
         *         {
         *           "id": "supportive",
         *           "title": "Supportive",
         *           "text": "Lead with what went well."
         *         },
         *         {
         *           "id": "direct",
         *           "title": "Direct",
         *           "text": "Say the main point first."
         *         }
         *       ],
         *       "defaultStyle": "one-of-the-styles",
         *       "compatibility": {
         *         "packFormat": 1,
         *         "models": [
         *           {
         *             "provider": "anthropic",
         *             "family": "claude"
         *           }
         *         ],
         *         "clients": [
         *           {
         *             "name": "coach-web",
         *             "range": ">=2.0.0 <4.0.0"
         *           }
         *         ],
         *         "locales": [
         *           "en"
         *         ]
         *       }
         *     }
         */
        PackDocument: {
            version: components["schemas"]["VersionNumber"];
            summary: components["schemas"]["Summary"];
            author: components["schemas"]["AuthorName"];
            defaultStyle: components["schemas"]["StyleId"];
            compatibility: components["schemas"]["Compatibility"];
            /**
             * @description The system prompt.
             * @example You are a coach, not a therapist.
             */
            system: string;
            styles: components["schemas"]["Style"][];
        };
        /** @description A hunk of a unified diff. */
        Hunk: {
            oldStart: number;
            oldLines: number;
            newStart: number;
            newLines: number;
            /** @description Each begins with a space (unchanged), `-` (removed) or `+` (added). */
            lines: string[];
        };
        /** @description How one prompt differs. */
        AssetDiff: {
            /**
             * @description `system` or `styles/<id>`.
             * @example system
             */
            asset: string;
            /**
             * @description What happened to the asset.
             * @example added
             * @enum {string}
             */
            change: "added" | "removed" | "changed" | "same";
            hunks: components["schemas"]["Hunk"][];
        };
        /** @description How one field of the metadata differs. */
        MetadataDiff: {
            /** @example summary */
            field: string;
            /** @description As JSON text. */
            from: string;
            /** @description As JSON text. */
            to: string;
        };
        /** @description How two versions differ. */
        Diff: {
            pack: components["schemas"]["PackName"];
            /**
             * @description The version compared with; null if there is none.
             * @example 1.0.0
             */
            from: string | null;
            to: components["schemas"]["VersionNumber"];
            assets: components["schemas"]["AssetDiff"][];
            metadata: components["schemas"]["MetadataDiff"][];
            stylesAdded: components["schemas"]["StyleId"][];
            stylesRemoved: components["schemas"]["StyleId"][];
        };
        /**
         * @example {
         *       "reason": "Leaves out the crisis wording",
         *       "replacement": "1.0.0",
         *       "dryRun": true
         *     }
         */
        RevokeRequest: {
            reason: components["schemas"]["Reason"];
            /** @description The version that replaces it in channels that point at it and in sessions pinned to it. */
            replacement?: components["schemas"]["VersionNumber"];
            /**
             * @description What happens to the sessions on it, in every channel. `next-turn`, the default: they go on with what replaces it. `end`: they end.
             * @example next-turn
             * @enum {string}
             */
            sessions?: "next-turn" | "end";
            /** @description Report what would happen, and change nothing. Omit it to revoke the version permanently. */
            dryRun?: boolean;
        };
        /** @description A move of a channel. */
        Move: {
            channel: components["schemas"]["ChannelName"];
            version: components["schemas"]["VersionNumber"];
            digest: components["schemas"]["Digest"];
            /** @example 2.0.0 */
            previousVersion: string | null;
        };
        /** @description A revocation, and where it moved the channels that pointed at the version. In a dry run, `revision` is the current one. */
        Revocation: {
            revision: components["schemas"]["Revision"];
            pack: components["schemas"]["PackName"];
            version: components["schemas"]["VersionNumber"];
            moves: components["schemas"]["Move"][];
            instances?: components["schemas"]["InstancesReached"];
        };
        /** @description Where a channel of the pack points. */
        Channel: {
            channel: components["schemas"]["ChannelName"];
            version: components["schemas"]["VersionNumber"];
            digest: components["schemas"]["Digest"];
            revision: components["schemas"]["Revision"];
            activatedAt: components["schemas"]["Timestamp"];
            activatedBy: components["schemas"]["Actor"];
        };
        /** @description A pack with its versions and channels. */
        Pack: {
            pack: components["schemas"]["PackName"];
            versionCount: number;
            /**
             * @description The highest version that is neither a prerelease nor revoked; null if there is none.
             * @example 2.0.0
             */
            latest: string | null;
            /** @description The 20 highest; `listVersions` lists all. */
            versions: components["schemas"]["VersionSummary"][];
            channels: components["schemas"]["Channel"][];
        };
        PackList: {
            packs: components["schemas"]["Pack"][];
        };
        /** @description The floor under every version of a pack. */
        Policy: {
            pack: components["schemas"]["PackName"];
            /**
             * @description A higher version replaces a lower one; 0 if the pack has no policy.
             * @example 1
             */
            version: number;
            /** @description Texts that every system prompt must contain. */
            clauses: {
                /**
                 * @description Names the rule in messages.
                 * @example not-a-therapist
                 */
                id: string;
                /** @example You are a coach, not a therapist. */
                text: string;
            }[];
            /** @description Texts or patterns that no prompt may contain; each entry has one of the two. */
            forbidden: {
                /**
                 * @description Names the rule in messages.
                 * @example not-a-therapist
                 */
                id: string;
                /** @description Plain text; case and spacing are ignored. */
                text?: string;
                /** @description An RE2 pattern, matched against the served text with every line end as \n. */
                pattern?: string;
            }[];
            /** @description Styles that every version must have. */
            requiredStyles: components["schemas"]["StyleId"][];
            /** @description Maximum characters of the system prompt, of each style, and of all prompts together. */
            limits: {
                /**
                 * @description Maximum number of characters.
                 * @example 20000
                 */
                system?: number;
                /**
                 * @description Maximum number of characters.
                 * @example 20000
                 */
                style?: number;
                /**
                 * @description Maximum number of characters.
                 * @example 20000
                 */
                total?: number;
            };
            /** @description Names that are allowed in {{double braces}}. If missing, braces are not checked. */
            placeholders?: string[];
            /**
             * @description SHA-256 over RFC 8785 of the policy; null if the pack has none.
             * @example sha256:4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
             */
            digest: string | null;
            /**
             * @description The revision that put the policy in force; null if the pack has none.
             * @example 2
             */
            revision: number | null;
        };
        /** @description The whole active version, from one snapshot. `revision` is the revision that last moved the channel. */
        ActivePack: {
            pack: components["schemas"]["PackName"];
            channel: components["schemas"]["ChannelName"];
            version: components["schemas"]["VersionNumber"];
            digest: components["schemas"]["Digest"];
            revision: components["schemas"]["Revision"];
            activatedAt: components["schemas"]["Timestamp"];
            activatedBy: components["schemas"]["Actor"];
            reason: components["schemas"]["Reason"];
            defaultStyle: components["schemas"]["StyleId"];
            compatibility: components["schemas"]["Compatibility"];
            /** @description The system prompt. */
            system: string;
            styles: components["schemas"]["Style"][];
        };
        /** @description The rollout that the move ends: its promotion, or a move back to the stable version. */
        EndedRollout: {
            id: components["schemas"]["RolloutId"];
            /**
             * @description How it ended.
             * @example promoted
             * @enum {string}
             */
            state: "promoted" | "aborted";
        };
        /** @description A move of a channel. */
        Activation: {
            revision: components["schemas"]["Revision"];
            /**
             * @description What moved the channel.
             * @example activation
             * @enum {string}
             */
            kind: "activation" | "rollback" | "revocation";
            pack: components["schemas"]["PackName"];
            channel: components["schemas"]["ChannelName"];
            version: components["schemas"]["VersionNumber"];
            digest: components["schemas"]["Digest"];
            /**
             * @description The version that was active before; null if none was.
             * @example 2.0.0
             */
            previousVersion: string | null;
            actor: components["schemas"]["Actor"];
            reason: components["schemas"]["Reason"];
            activatedAt: components["schemas"]["Timestamp"];
            /** @description False if the version was already active: this is the move that activated it. If it was on trial, the trial has still ended. */
            changed: boolean;
            rollout?: components["schemas"]["EndedRollout"];
            instances?: components["schemas"]["InstancesReached"];
        };
        ActivationPage: {
            activations: components["schemas"]["Activation"][];
            /**
             * @description Send it as `cursor` for the next page; null on the last page.
             * @example MS4wLjA
             */
            nextCursor: string | null;
        };
        /**
         * @example {
         *       "version": "1.1.0",
         *       "channel": "production",
         *       "reason": "Answers were too blunt",
         *       "dryRun": true
         *     }
         */
        ActivateRequest: {
            version: components["schemas"]["VersionNumber"];
            channel?: components["schemas"]["ChannelName"];
            reason: components["schemas"]["Reason"];
            /** @description A trial: the channel goes back after this time unless `confirmActivation` comes first. At most `90d`. */
            revertAfter?: components["schemas"]["Duration"];
            sessions?: components["schemas"]["SessionPolicy"];
            /** @description Report what would happen, and change nothing. Omit it to move the channel. */
            dryRun?: boolean;
        };
        /**
         * @example {
         *       "channel": "production",
         *       "reason": "Answers were too blunt",
         *       "fromVersion": "2.0.0",
         *       "dryRun": true
         *     }
         */
        RollbackRequest: {
            channel?: components["schemas"]["ChannelName"];
            reason: components["schemas"]["Reason"];
            /** @description Roll back to this version, which must have been active in the channel before. Default: one step down the stack. */
            toVersion?: components["schemas"]["VersionNumber"];
            /** @description Refuse the rollback unless this version is still active, or being rolled out. */
            fromVersion?: components["schemas"]["VersionNumber"];
            sessions?: components["schemas"]["SessionPolicy"];
            /** @description Report what would happen, and change nothing. Omit it to move the channel. */
            dryRun?: boolean;
        };
        /** @description What a move would do. */
        Preview: {
            wouldActivate: components["schemas"]["VersionNumber"];
            /**
             * @description The version that is active now; null if none is.
             * @example 2.0.0
             */
            previousVersion: string | null;
            /** @description How the prompts would change. For a revoked version, only a key with `audit:read` sees the lines. */
            diff: components["schemas"]["AssetDiff"][];
            stylesAdded: components["schemas"]["StyleId"][];
            stylesRemoved: components["schemas"]["StyleId"][];
            /** @description Why the move would be refused; empty if it would succeed. */
            problems: components["schemas"]["Violation"][];
            rollout?: components["schemas"]["EndedRollout"];
        };
        /** @description The move already in force (`changed: false`), or with `dryRun` what the move would do. */
        ActivationOrPreview: components["schemas"]["Activation"] | components["schemas"]["Preview"];
        /** @description A channel's gradual move to another version. */
        Rollout: {
            id: components["schemas"]["RolloutId"];
            pack: components["schemas"]["PackName"];
            channel: components["schemas"]["ChannelName"];
            /**
             * @description Running, paused or baking: the rollout is under way. Promoted or aborted: it has ended.
             * @example running
             * @enum {string}
             */
            state: "running" | "paused" | "baking" | "promoted" | "aborted";
            /** @description The candidate. */
            version: components["schemas"]["VersionNumber"];
            /** @description Where the channel was when the rollout started. */
            stableVersion: components["schemas"]["VersionNumber"];
            share: components["schemas"]["Share"];
            /**
             * @description The last step that was taken; 0 below the first.
             * @example 1
             */
            step: number;
            steps: components["schemas"]["Step"][];
            bake?: components["schemas"]["Duration"];
            /**
             * @description `promote`: after the last step and the bake everybody gets the candidate. `wait`: somebody must promote it.
             * @example promote
             * @enum {string}
             */
            finish: "promote" | "wait";
            audience?: components["schemas"]["Audience"];
            startedAt: components["schemas"]["Timestamp"];
            startedBy: components["schemas"]["Actor"];
            reason: components["schemas"]["Reason"];
            /** @description The event that last changed the rollout. */
            revision: components["schemas"]["Revision"];
            /** @description When the current wait is over. Without it, somebody must act. */
            nextAt?: components["schemas"]["Timestamp"];
            endedAt?: components["schemas"]["Timestamp"];
            endedBy?: components["schemas"]["Actor"];
            endReason?: components["schemas"]["Reason"];
            /** @description In the answer to a change: false if it held already, so nothing was written. */
            changed?: boolean;
            instances?: components["schemas"]["InstancesReached"];
        };
        RolloutPage: {
            rollouts: components["schemas"]["Rollout"][];
            /**
             * @description Send it as `cursor` for the next page; null on the last page.
             * @example MS4wLjA
             */
            nextCursor: string | null;
        };
        /**
         * @example {
         *       "version": "2.0.0",
         *       "reason": "Warmer openings",
         *       "steps": [
         *         {
         *           "share": 10,
         *           "hold": "1h"
         *         },
         *         {
         *           "share": 100
         *         }
         *       ],
         *       "bake": "1d",
         *       "finish": "promote",
         *       "dryRun": true
         *     }
         */
        StartRolloutRequest: {
            /** @description The candidate. */
            version: components["schemas"]["VersionNumber"];
            channel?: components["schemas"]["ChannelName"];
            reason: components["schemas"]["Reason"];
            /** @description Rising shares. */
            steps: components["schemas"]["Step"][];
            /** @description How long it stays at its last share before it ends. */
            bake?: components["schemas"]["Duration"];
            /**
             * @description `promote`: after the last step and the bake everybody gets the candidate. `wait`: somebody must promote it.
             * @example promote
             * @enum {string}
             */
            finish: "promote" | "wait";
            audience?: components["schemas"]["Audience"];
            /** @description One of the last 20 rollouts of the channel: the same users get the candidate again. */
            sameSubjectsAs?: components["schemas"]["RolloutId"];
            /** @description Start although instances of an older build are live. They serve the stable version. */
            force?: boolean;
            /** @description Report what would happen, and change nothing. */
            dryRun?: boolean;
        };
        /**
         * @example {
         *       "reason": "No complaints after an hour"
         *     }
         */
        AdvanceRolloutRequest: {
            /** @description Set this share. Default: take the next step. */
            share?: components["schemas"]["Share"];
            reason: components["schemas"]["Reason"];
            /** @description Report what would happen, and change nothing. */
            dryRun?: boolean;
        };
        /**
         * @example {
         *       "reason": "Wait for the team"
         *     }
         */
        SteerRolloutRequest: {
            reason: components["schemas"]["Reason"];
            /** @description Report what would happen, and change nothing. */
            dryRun?: boolean;
        };
        /**
         * @example {
         *       "reason": "Answers were too blunt",
         *       "sessions": "next-turn"
         *     }
         */
        EndRolloutRequest: {
            sessions?: components["schemas"]["SessionPolicy"];
            reason: components["schemas"]["Reason"];
            /** @description Report what would happen, and change nothing. */
            dryRun?: boolean;
        };
        /** @description What a start or a change of a rollout would do. */
        RolloutPreview: {
            rollout: components["schemas"]["Rollout"];
            /** @description Whether the audience is everybody, so that `rollout.share` is the percentage of all subjects. Else it is that of the audience. */
            everybody: boolean;
            /** @description Subjects that get the candidate whatever the share. */
            testers: number;
            /** @description How the prompts of the candidate differ from the stable ones. */
            diff: components["schemas"]["AssetDiff"][];
            /** @description Why it would be refused; empty if it would succeed. */
            problems: components["schemas"]["Violation"][];
            /** @description Live instances of a build that does not know rollouts: without `force` a start is refused. */
            olderInstances: string[];
        };
        /** @description The rollout, or with `dryRun` what would happen. */
        RolloutOrPreview: components["schemas"]["Rollout"] | components["schemas"]["RolloutPreview"];
        /** @description An activation at a time. It is skipped if the channel has moved since it was scheduled. */
        ScheduledActivation: {
            id: components["schemas"]["ScheduleId"];
            pack: components["schemas"]["PackName"];
            channel: components["schemas"]["ChannelName"];
            version: components["schemas"]["VersionNumber"];
            /** @description When it is due, by the clock of the registry. */
            at: components["schemas"]["Timestamp"];
            sessions?: components["schemas"]["SessionPolicy"];
            revision: components["schemas"]["Revision"];
            scheduledAt: components["schemas"]["Timestamp"];
            scheduledBy: components["schemas"]["Actor"];
            reason: components["schemas"]["Reason"];
        };
        Schedule: {
            /** @description The pending ones, the earliest first. */
            scheduled: components["schemas"]["ScheduledActivation"][];
        };
        /**
         * @example {
         *       "version": "2.0.0",
         *       "at": "2026-02-01T06:00:00Z",
         *       "reason": "When the team is awake"
         *     }
         */
        ScheduleRequest: {
            version: components["schemas"]["VersionNumber"];
            channel?: components["schemas"]["ChannelName"];
            /** @description With its zone; in the future, at most 90 days ahead. */
            at: components["schemas"]["Timestamp"];
            sessions?: components["schemas"]["SessionPolicy"];
            reason: components["schemas"]["Reason"];
        };
        /** @description What was cancelled, and by which event. */
        CancelledActivation: {
            id: components["schemas"]["ScheduleId"];
            revision: components["schemas"]["Revision"];
        };
        /** @description A move that concerned running sessions of the channel. */
        SessionMove: {
            /**
             * @description Which history the revision belongs to. It starts at 1, and each accepted restore of the database adds 1.
             * @example 1
             */
            epoch: number;
            revision: components["schemas"]["Revision"];
            /** @description The version that the channel left. */
            from: components["schemas"]["VersionNumber"];
            /** @description The version that it moved to. */
            to: components["schemas"]["VersionNumber"];
            /**
             * @description What happens to the sessions on the version that was left.
             * @example next-turn
             * @enum {string}
             */
            sessions: "next-turn" | "end";
            at: components["schemas"]["Timestamp"];
            reason: components["schemas"]["Reason"];
        };
        /** @description What a channel serves: the stable version, and the candidate with the rule of a rollout. A client decides with it locally. */
        ChannelState: {
            pack: components["schemas"]["PackName"];
            channel: components["schemas"]["ChannelName"];
            /** @description The event that last changed any part of this. */
            revision: components["schemas"]["Revision"];
            stable: components["schemas"]["ActivePack"];
            /** @description The rollout under way: the other arm, and who gets it. */
            rollout?: {
                id: components["schemas"]["RolloutId"];
                candidate: components["schemas"]["ActivePack"];
                share: components["schemas"]["Share"];
                audience?: components["schemas"]["Audience"];
                /** @description Decides, with the subject, who gets the candidate. */
                salt: string;
                /**
                 * @description How the bucket of a subject is computed; see docs/rollouts.md.
                 * @example v1
                 * @enum {string}
                 */
                hash: "v1";
                /**
                 * @description How far the rollout is.
                 * @example running
                 * @enum {string}
                 */
                state: "running" | "paused" | "baking";
            };
            /** @description The active version is on trial: the channel goes back at `revertAt` unless it is confirmed. */
            trial?: {
                version: components["schemas"]["VersionNumber"];
                revertAt: components["schemas"]["Timestamp"];
                startedAt: components["schemas"]["Timestamp"];
                startedBy: components["schemas"]["Actor"];
                reason: components["schemas"]["Reason"];
            };
            schedule: components["schemas"]["ScheduledActivation"][];
            /** @description In the order of the log, at most 1,000. With them a client knows where its own sessions are. */
            sessionMoves: components["schemas"]["SessionMove"][];
            /** @description Session moves up to here are no longer listed. An older session is answered from what is active. */
            droppedUpTo?: {
                /**
                 * @description Which history the revision belongs to. It starts at 1, and each accepted restore of the database adds 1.
                 * @example 1
                 */
                epoch: number;
                revision: components["schemas"]["Revision"];
            };
        };
        /** @description The version that stays, and the event that says so. */
        Confirmation: {
            pack: components["schemas"]["PackName"];
            channel: components["schemas"]["ChannelName"];
            version: components["schemas"]["VersionNumber"];
            revision: components["schemas"]["Revision"];
            instances?: components["schemas"]["InstancesReached"];
        };
        /** @description A key, without its secret. */
        Key: {
            /**
             * @description Id of a key; not secret.
             * @example k7Qm2Xw9Lp3
             */
            keyId: string;
            label: components["schemas"]["KeyLabel"];
            scopes: components["schemas"]["Scope"][];
            createdAt: components["schemas"]["Timestamp"];
            /**
             * Format: date-time
             * @description When the key stops working. Default: never.
             * @example 2027-01-31T00:00:00Z
             */
            expiresAt?: string;
            createdBy: components["schemas"]["Actor"];
            revokedAt?: components["schemas"]["Timestamp"];
            /** @description In the response to `revokeKey`: what the key had scheduled, which was cancelled with it. */
            cancelled?: {
                pack: components["schemas"]["PackName"];
                channel: components["schemas"]["ChannelName"];
                id: components["schemas"]["ScheduleId"];
            }[];
        };
        /** @description A key that was just created. */
        NewKey: {
            /**
             * @description Id of a key; not secret.
             * @example k7Qm2Xw9Lp3
             */
            keyId: string;
            label: components["schemas"]["KeyLabel"];
            scopes: components["schemas"]["Scope"][];
            createdAt: components["schemas"]["Timestamp"];
            /**
             * Format: date-time
             * @description When the key stops working. Default: never.
             * @example 2027-01-31T00:00:00Z
             */
            expiresAt?: string;
            /**
             * @description The whole bearer token. It is shown only here; a replayed response does not have it.
             * @example prk_k7Qm2Xw9Lp3a_0000000000000000000000000000000000000000000
             */
            secret?: string;
        };
        KeyList: {
            keys: components["schemas"]["Key"][];
        };
        /**
         * @description Set `expiresAt` to a future time, or omit it.
         * @example {
         *       "label": "coach-web production",
         *       "scopes": [
         *         "prompts:read",
         *         "sessions:start"
         *       ],
         *       "expiresAt": "2020-01-31T00:00:00Z"
         *     }
         */
        CreateKeyRequest: {
            label: components["schemas"]["KeyLabel"];
            scopes: components["schemas"]["Scope"][];
            /**
             * Format: date-time
             * @description When the key stops working. Default: never.
             * @example 2027-01-31T00:00:00Z
             */
            expiresAt?: string;
        };
        /**
         * @example {
         *       "reason": "Left the team"
         *     }
         */
        RevokeKeyRequest: {
            /** @description Why the key is revoked. The log keeps it permanently. */
            reason: components["schemas"]["Reason"];
        };
        /** @description One entry of the log. */
        Event: {
            revision: components["schemas"]["Revision"];
            /**
             * @description Unique. `listEvents?id=` finds the event.
             * @example 5c1f7d0e-5f0b-4f0a-9a5e-0f6b1a2c3d4e
             */
            id: string;
            at: components["schemas"]["Timestamp"];
            /**
             * @description What happened: registry-created, version-published, version-activated, version-rolled-back, version-revoked, policy-changed, key-created, key-revoked, registry-restored, rollout-started, rollout-advanced, rollout-paused, rollout-resumed, rollout-aborted, activation-scheduled, schedule-cancelled, schedule-skipped, activation-confirmed, trial-stayed, or a type that only newer builds know.
             * @example version-activated
             */
            type: string;
            actor: components["schemas"]["Actor"];
            /** @example Answers were too blunt */
            reason: string;
            pack?: components["schemas"]["PackName"];
            channel?: components["schemas"]["ChannelName"];
            version?: components["schemas"]["VersionNumber"];
            /** @description Further data of this type of event, and the Idempotency-Key of the request. Shares are in thousandths of a percent, and steps are counted from 0. registry-created: registryId, sessionKeyId. version-published: digest, summary, author, defaultStyle, styles, compatibility, violations. version-activated: digest, previousVersion, sessions, rollout, revertAt, trial, schedule, scheduledBy. version-rolled-back: digest, previousVersion, sessions, rollout, revertAt, trial, schedule, scheduledBy. version-revoked: replacement, moves, sessions. policy-changed: policy, digest, violations. key-created: keyId, label, scopes, expiresAt, secretHash, madeBy. key-revoked: keyId, cancelled. registry-restored: epoch. rollout-started: digest, stable, steps, bake, finish, audience, salt, hash, share, step, state, nextAt. rollout-advanced: rollout, share, step, state, nextAt. rollout-paused: rollout, share, remaining. rollout-resumed: rollout, nextAt. rollout-aborted: rollout, by, stable, sessions. activation-scheduled: at, pointerRevision, sessions. schedule-cancelled: schedule. schedule-skipped: schedule, why, scheduledBy. activation-confirmed: trial. trial-stayed: trial. */
            data: {
                [key: string]: unknown;
            };
            /**
             * @description SHA-256 over RFC 8785 of the event as listed, without `hash`.
             * @example 4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
             */
            previousHash: string;
            /**
             * @description SHA-256 over RFC 8785 of the event as listed, without `hash`.
             * @example 4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
             */
            hash: string;
        };
        EventPage: {
            events: components["schemas"]["Event"][];
            /**
             * @description Send it as `after` for the next page; null on the last page, and with `order=newest`.
             * @example 9
             */
            nextAfter: number | null;
            /**
             * @description Only with `order=newest`: send it as `before` for the next page; null on the last page.
             * @example 5
             */
            nextBefore?: number | null;
        };
        /** @description The last event. Keep `(revision, hash)` outside the registry: only against it can a rewrite of the whole chain be found. */
        Head: {
            revision: components["schemas"]["Revision"];
            /**
             * @description SHA-256 over RFC 8785 of the event as listed, without `hash`.
             * @example 4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
             */
            hash: string;
            at: components["schemas"]["Timestamp"];
        };
        /** @description Whether the log is as it was written. */
        Verification: {
            valid: boolean;
            /** @description Number of intact events. */
            events: number;
            /** @description The last intact event. */
            head: {
                revision: components["schemas"]["Revision"];
                /**
                 * @description SHA-256 over RFC 8785 of the event as listed, without `hash`.
                 * @example 4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
                 */
                hash: string;
            };
            /** @description Where the log is first broken, and how. */
            firstBroken?: {
                revision: components["schemas"]["Revision"];
                detail: string;
            };
        };
        /** @description The system prompt of the active version. */
        SystemPrompt: {
            pack: components["schemas"]["PackName"];
            channel: components["schemas"]["ChannelName"];
            version: components["schemas"]["VersionNumber"];
            digest: components["schemas"]["Digest"];
            revision: components["schemas"]["Revision"];
            text: string;
        };
        /** @description The styles of the active version, in the order of the version. */
        StyleList: {
            pack: components["schemas"]["PackName"];
            channel: components["schemas"]["ChannelName"];
            version: components["schemas"]["VersionNumber"];
            digest: components["schemas"]["Digest"];
            revision: components["schemas"]["Revision"];
            defaultStyle: components["schemas"]["StyleId"];
            styles: components["schemas"]["StyleTitle"][];
        };
        /** @description The prompt of one style of the active version. */
        StylePrompt: {
            pack: components["schemas"]["PackName"];
            channel: components["schemas"]["ChannelName"];
            version: components["schemas"]["VersionNumber"];
            digest: components["schemas"]["Digest"];
            revision: components["schemas"]["Revision"];
            styleId: components["schemas"]["StyleId"];
            title: components["schemas"]["StyleName"];
            text: string;
        };
        /** @description A coach session and the pack version that it keeps. */
        Session: {
            /**
             * @description Opaque. Keep it to read the session again.
             * @example eyJhbGciOiJIUzI1NiIsImtpZCI6IjExMmQ3YSJ9.e30.c2ln
             */
            sessionId: string;
            startedAt: components["schemas"]["Timestamp"];
            expiresAt: components["schemas"]["Timestamp"];
            /** @description The pin: the version that the session keeps until it expires. */
            promptPack: {
                pack: components["schemas"]["PackName"];
                channel: components["schemas"]["ChannelName"];
                version: components["schemas"]["VersionNumber"];
                digest: components["schemas"]["Digest"];
                revision: components["schemas"]["Revision"];
            };
            prompt: {
                /** @description The system prompt. */
                system: string;
                style: components["schemas"]["Style"];
            };
            /** @description The arm that the session started on. Present if a rollout was under way. */
            assignment?: {
                rollout: components["schemas"]["RolloutId"];
                /**
                 * @description Which arm.
                 * @example stable
                 * @enum {string}
                 */
                arm: "stable" | "candidate";
            };
            /** @description The original pin. Present if the session continues on another version: its own was revoked, or a move sent it along. */
            movedFrom?: {
                version: components["schemas"]["VersionNumber"];
                styleId: components["schemas"]["StyleId"];
            };
            /** @description True if the channel has moved to another version. The session keeps its own. */
            superseded: boolean;
        };
        /**
         * @example {
         *       "styleId": "supportive"
         *     }
         */
        StartSessionRequest: {
            /** @description Default: the version's default style. */
            styleId?: components["schemas"]["StyleId"];
            channel?: components["schemas"]["ChannelName"];
            /** @description Decides which version the session starts on while a rollout runs. Default: the session itself. */
            subject?: components["schemas"]["Subject"];
            attributes?: {
                [key: string]: components["schemas"]["AttributeValue"];
            };
        };
        /** @description A channel that the event moved. */
        StreamMove: {
            channel: components["schemas"]["ChannelName"];
            version: components["schemas"]["VersionNumber"];
            /**
             * @description SemVer 2.0.0 without build metadata.
             * @example 1.1.0
             */
            previousVersion: string | null;
            digest: components["schemas"]["Digest"];
        };
        /** @description `data` of one message of the stream. */
        StreamMessage: {
            /**
             * @description Which history the revision belongs to. It starts at 1, and each accepted restore of the database adds 1.
             * @example 1
             */
            epoch: number;
            revision: components["schemas"]["Revision"];
            /**
             * @description Type of the event; absent in `revision`, `resync` and `heartbeat`.
             * @example version-activated
             */
            type?: string;
            pack?: components["schemas"]["PackName"];
            /** @description The channel that the event is about, if it is about one. */
            channel?: components["schemas"]["ChannelName"];
            /** @description Where the event moved channels; empty if it moved none. */
            moves?: components["schemas"]["StreamMove"][];
            at?: components["schemas"]["Timestamp"];
            /** @description Seconds since this instance last knew that it was current; absent while it knows. */
            staleSeconds?: components["schemas"]["Revision"];
        };
        Instance: {
            /**
             * @description Identifies one run of one process.
             * @example registry-0-3f9a1c2e
             */
            id: string;
            startedAt: components["schemas"]["Timestamp"];
            appliedRevision: components["schemas"]["Revision"];
            /** @description How many revisions it is behind the instance that responds. */
            behind: number;
            /**
             * Format: date-time
             * @description When it last renewed its lease, by the store's clock. A healthy instance renews it once a second.
             */
            lastSeenAt: string;
            /**
             * @description The forced version (`PIN_VERSION`), which it serves whatever the log says.
             * @example coach@1.0.0
             */
            pinnedVersion?: string;
        };
        InstanceList: {
            instances: components["schemas"]["Instance"][];
        };
        Liveness: {
            /**
             * @description The process responds.
             * @example live
             * @enum {string}
             */
            status: "live";
        };
        Readiness: {
            /**
             * @description There is a whole snapshot to serve.
             * @example ready
             * @enum {string}
             */
            status: "ready";
            revision: components["schemas"]["Revision"];
            /** @description Which history the revision belongs to. Each accepted restore of the database adds 1. */
            epoch: number;
            /** @description Whether the snapshot may be older than the log. */
            stale: boolean;
            /** @description Seconds since this instance last knew that it was current. */
            staleSeconds?: number;
            /**
             * @description The forced version (`PIN_VERSION`), which is served whatever the log says.
             * @example coach@1.0.0
             */
            pinned?: string;
            /** @description Problems of an instance that still serves; empty if there are none. */
            conditions: {
                /**
                 * @description Stable, for programs.
                 * @example stale
                 * @enum {string}
                 */
                name: "stale" | "pinned" | "log-diverged" | "clock-behind-log" | "clock-in-doubt" | "snapshot-differs";
                detail: string;
            }[];
        };
        /**
         * @description Metrics in the text format of Prometheus, version 0.0.4.
         * @example # HELP prompt_registry_ready Whether this instance accepts requests, as /readyz says.
         *     # TYPE prompt_registry_ready gauge
         *     prompt_registry_ready 1
         */
        Metrics: string;
        ProblemKind: {
            code: string;
            status: number;
            title: string;
            /** @description What happened, and what to do about it. */
            meaning: string;
        };
        /**
         * @description Name of an attribute: letters and digits, beginning with a lower-case letter, at most 63.
         * @example country
         */
        AttributeName: string;
        /** @example de */
        AttributeText: string;
        /** @description A text of at most 200 characters, a number, true or false. All are compared as texts: 30 is "30". */
        AttributeValue: components["schemas"]["AttributeText"] | number | boolean;
        /** @description Who takes part in a rollout. Default: everybody. */
        Audience: {
            /** @description All of them must hold. Default: everybody. */
            conditions?: components["schemas"]["Condition"][];
            /** @description Testers: they always get the candidate. */
            subjects?: components["schemas"]["Subject"][];
        };
        /**
         * @description Who wrote it.
         * @example Coaching content team
         */
        AuthorName: string;
        /**
         * @description Name of a channel: lower-case letters, digits and hyphens, at most 63.
         * @example production
         */
        ChannelName: string;
        Condition: {
            attribute: components["schemas"]["AttributeName"];
            /**
             * @description `in`, `notIn`, `equals`, `startsWith`, `endsWith` and `contains` compare texts as they are, case included. `greaterThan` and `lessThan` compare JSON numbers (RFC 8259). `before` and `after` compare times with their zone (RFC 3339). `semver` is a range in the grammar of node-semver (https://github.com/npm/node-semver#range-grammar). If the attribute is missing or cannot be parsed, the condition does not hold, not even for `notIn`.
             * @example in
             * @enum {string}
             */
            operator: "in" | "notIn" | "startsWith" | "endsWith" | "contains" | "equals" | "greaterThan" | "lessThan" | "semver" | "before" | "after";
            /** @description One of them must match (`notIn`: none). `equals` and comparisons take exactly one. */
            values: components["schemas"]["AttributeText"][];
        };
        /**
         * @description SHA-256 of the RFC 8785 text of the content: pack, version, system, styles in order, defaultStyle, compatibility.
         * @example sha256:4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
         */
        Digest: string;
        /**
         * @description A number and `s`, `m`, `h` or `d`.
         * @example 30m
         */
        Duration: string;
        /**
         * @description Who or what the key is for. The log shows it as the actor.
         * @example coach-web production
         */
        KeyLabel: string;
        /**
         * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
         * @example coach
         */
        PackName: string;
        /**
         * @description Why the change is made. The log keeps it permanently.
         * @example Users report that answers are too blunt
         */
        Reason: string;
        /**
         * @description Sequence number of an event in the log. It only grows; a rollback gets a new, higher one.
         * @example 7
         */
        Revision: number;
        /**
         * @description Id of a rollout: the revision of the event that started it.
         * @example 12
         */
        RolloutId: number;
        /**
         * @description Id of a scheduled activation: that of the event that scheduled it.
         * @example 0d9c6a52-7f1e-4c57-9a35-0b8f4f5e2f11
         */
        ScheduleId: string;
        /**
         * @description What a key can allow; `*` allows everything.
         * @example prompts:read
         * @enum {string}
         */
        Scope: "prompts:read" | "packs:publish" | "packs:activate" | "packs:revoke" | "sessions:start" | "audit:read" | "metrics:read" | "keys:admin" | "*";
        /**
         * @description What happens to running sessions of the channel on the version that is left. `keep`: they keep it. `next-turn`: they move along at their next read. `end`: they end.
         * @example next-turn
         * @enum {string}
         */
        SessionPolicy: "keep" | "next-turn" | "end";
        /**
         * @description Percent of the audience that gets the candidate: 0 to 100, at most three decimals.
         * @example 10
         */
        Share: number;
        Step: {
            share: components["schemas"]["Share"];
            /** @description How long until the next step. Without it, somebody must advance the rollout. */
            hold?: components["schemas"]["Duration"];
        };
        /**
         * @description Name of a style: lower-case letters, digits and hyphens, at most 63.
         * @example supportive
         */
        StyleId: string;
        /**
         * @description Display name of the style.
         * @example Supportive
         */
        StyleName: string;
        /**
         * @description The id that a read is decided for: a user, an account, a conversation. Compared as it is. Never send an e-mail address.
         * @example user-4711
         */
        Subject: string;
        /**
         * @description Describes this version in one sentence.
         * @example Warmer openings, clearer crisis wording
         */
        Summary: string;
        /**
         * Format: date-time
         * @description RFC 3339, UTC.
         * @example 2026-01-31T09:30:00.000Z
         */
        Timestamp: string;
        /**
         * @description SemVer 2.0.0 without build metadata.
         * @example 1.1.0
         */
        VersionNumber: string;
    };
    responses: {
        /** @description Moved. With `Prefer: wait`: some instances have not applied it in time. */
        AcceptedActivation: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                Location: components["headers"]["Location"];
                "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                "Preference-Applied": components["headers"]["Preference-Applied"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Activation"];
            };
        };
        /** @description The rollout after the change. With `Prefer: wait`: some instances have not applied it in time. */
        AcceptedRollout: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                "Preference-Applied": components["headers"]["Preference-Applied"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Rollout"];
            };
        };
        /** @description `content-revoked`: The content is revoked. */
        ContentRevoked: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Moved. */
        CreatedActivation: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                Location: components["headers"]["Location"];
                "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                "Preference-Applied": components["headers"]["Preference-Applied"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Activation"];
            };
        };
        /** @description `forbidden`: The key lacks a scope. */
        Forbidden: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `header-too-large`: The headers are too large. */
        HeaderTooLarge: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `idempotency-mismatch`: The Idempotency-Key was used for another request. */
        IdempotencyMismatch: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `internal`: Internal error. */
        Internal: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The channel has not moved. There is no body. */
        NotModified: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                ETag: components["headers"]["ETag"];
                [name: string]: unknown;
            };
            content?: never;
        };
        /** @description The channel has not moved. There is no body. */
        NotModifiedOfArm: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                ETag: components["headers"]["ETag"];
                "Registry-Assignment": components["headers"]["Registry-Assignment"];
                [name: string]: unknown;
            };
            content?: never;
        };
        /** @description The version was already active; nothing changed. With `dryRun`: what the move would do. */
        OkActivationOrPreview: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                "Preference-Applied": components["headers"]["Preference-Applied"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ActivationOrPreview"];
            };
        };
        /** @description The rollout after the change. With `dryRun`: what would happen. */
        OkRolloutOrPreview: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                "Preference-Applied": components["headers"]["Preference-Applied"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["RolloutOrPreview"];
            };
        };
        /** @description `pack-not-found`: No such pack. */
        PackNotFound: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `pack-not-found`: No such pack. `channel-not-found`: No such channel. */
        PackNotFoundOrChannelNotFound: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `pack-not-found`: No such pack. `rollout-not-found`: No such rollout. */
        PackNotFoundOrRolloutNotFound: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `pack-not-found`: No such pack. `version-not-found`: No such version. */
        PackNotFoundOrVersionNotFound: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `payload-too-large`: The body is too large. */
        PayloadTooLarge: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `policy-violated`: The version is below the floor. `unknown-version`: The version is not registered. `idempotency-mismatch`: The Idempotency-Key was used for another request. */
        PolicyViolatedOrUnknownVersionOrIdempotencyMismatch: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `rate-limited`: Too many requests. */
        RateLimited: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                "Retry-After": components["headers"]["Retry-After"];
                /** @description How much of the rate limit is left, and when it resets. */
                RateLimit?: string;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `request-timeout`: The request took too long. */
        RequestTimeout: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `revision-conflict`: If-Match does not match. `revision-unknown`: There is no such revision. */
        RevisionConflictOrRevisionUnknown: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `revision-unknown`: There is no such revision. */
        RevisionUnknown: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `rollout-ended`: The rollout has ended. */
        RolloutEnded: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `unauthenticated`: A valid key is required. */
        Unauthenticated: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                /** @description RFC 6750: how to authenticate, and what was wrong with the key. */
                "WWW-Authenticate"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `store-unavailable`: The store cannot be reached. `revision-not-reached`: The revision is not applied here yet. `not-ready`: Not ready. `overloaded`: Overloaded. */
        Unavailable: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `store-unavailable`: The store cannot be reached. `store-busy`: The store is busy. `outcome-unknown`: The outcome is unknown. `revision-not-reached`: The revision is not applied here yet. `not-ready`: Not ready. `overloaded`: Overloaded. */
        UnavailableOrStoreBusyOrOutcomeUnknown: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `unsupported-media-type`: Unsupported media type. */
        UnsupportedMediaType: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `uri-too-long`: The URL is too long. */
        UriTooLong: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `validation-failed`: The request is not valid. */
        ValidationFailed: {
            headers: {
                "Registry-Revision": components["headers"]["Registry-Revision"];
                "Registry-Epoch": components["headers"]["Registry-Epoch"];
                "Registry-Stale": components["headers"]["Registry-Stale"];
                "Registry-Pinned": components["headers"]["Registry-Pinned"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /** @description Facts about the subject, each name once. */
        AttributeQuery: string[];
        /**
         * @description Name of a channel: lower-case letters, digits and hyphens, at most 63.
         * @example production
         */
        ChannelPath: string;
        /** @description Name of a channel: lower-case letters, digits and hyphens, at most 63. */
        ChannelQuery: string;
        /** @description `nextCursor` of the previous page. Omit it to start from the beginning. */
        CursorQuery: string;
        /** @description At most 255 characters, quoted or bare. Repeating the request with the same key has no further effect and returns the same response. */
        IdempotencyKeyHeader: string;
        /** @description The ETag of `getActivePack`, or `"<revision>"` of the channel; to change a rollout, those of `getRollout`. Refused if it has changed since. */
        IfMatchHeader: string;
        /** @description ETags that you have; a match returns 304. */
        IfNoneMatchHeader: string;
        /** @description The maximum number of entries. */
        LimitQuery: number;
        /**
         * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
         * @example coach
         */
        PackPath: string;
        /** @description Name of a pack: lower-case letters, digits and hyphens, at most 63. */
        PackQuery: string;
        /** @description `wait=<seconds>` (RFC 7240), at most 30: respond once every live instance has applied the move. A 202 means that some have not applied it in time. */
        PreferHeader: string;
        /** @description The `Registry-Epoch` of that response; default: the current epoch. */
        RegistryEpochHeader: number;
        /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
        RegistryMinRevisionHeader: number;
        /** @description The subject, percent-encoded, if it should not be in the address. */
        RegistrySubjectHeader: string;
        /**
         * @description Id of a rollout: the revision of the event that started it.
         * @example 12
         */
        RolloutPath: number;
        /** @description The id that a read is decided for: a user, an account, a conversation. Compared as it is. Never send an e-mail address. */
        SubjectQuery: string;
        /**
         * @description SemVer 2.0.0 without build metadata.
         * @example 1.1.0
         */
        VersionPath: string;
    };
    requestBodies: never;
    headers: {
        /** @description Strong. It changes when the channel moves. */
        ETag: string;
        /** @description `true` if this repeats the response to an earlier request with the same Idempotency-Key. */
        "Idempotency-Replayed": string;
        /** @description Where to read what was created. */
        Location: string;
        /** @description `wait` if the response waited for the other instances. */
        "Preference-Applied": string;
        /** @description `rollout=<id>; arm=<stable|candidate>` while a rollout runs in the channel. Absent otherwise. */
        "Registry-Assignment": string;
        /** @description Which history the revision belongs to. Each accepted restore of the database adds 1; absent while the epoch is 1. */
        "Registry-Epoch": number;
        /** @description The forced version (`PIN_VERSION`), which this instance serves whatever the log says. Absent if no version is forced. */
        "Registry-Pinned": string;
        /** @description Log revision of the snapshot that the response was computed from. */
        "Registry-Revision": number;
        /** @description Seconds since this instance last knew that it was current. Absent while it knows. */
        "Registry-Stale": number;
        /** @description Seconds to wait before the next attempt. */
        "Retry-After": number;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listPacks: {
        parameters: {
            query?: never;
            header?: {
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The packs, by name. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PackList"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getPack: {
        parameters: {
            query?: never;
            header?: {
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The pack. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Pack"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getPolicy: {
        parameters: {
            query?: never;
            header?: {
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The policy in force. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Policy"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listVersions: {
        parameters: {
            query?: {
                /** @description The maximum number of entries. */
                limit?: components["parameters"]["LimitQuery"];
                /** @description `nextCursor` of the previous page. Omit it to start from the beginning. */
                cursor?: components["parameters"]["CursorQuery"];
                /** @description Only versions of this status. */
                status?: "registered" | "revoked";
            };
            header?: {
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of versions. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VersionPage"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    publishVersion: {
        parameters: {
            query?: never;
            header?: {
                /** @description At most 255 characters, quoted or bare. Repeating the request with the same key has no further effect and returns the same response. */
                "idempotency-key"?: components["parameters"]["IdempotencyKeyHeader"];
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PackDocument"];
            };
        };
        responses: {
            /** @description The same version was already registered; nothing changed. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VersionSummary"];
                };
            };
            /** @description Registered. */
            201: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VersionSummary"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            /** @description `version-exists`: The version already exists. */
            409: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["RevisionUnknown"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `policy-violated`: The version is below the floor. `idempotency-mismatch`: The Idempotency-Key was used for another request. */
            422: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["UnavailableOrStoreBusyOrOutcomeUnknown"];
        };
    };
    getVersion: {
        parameters: {
            query?: never;
            header?: {
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
                /**
                 * @description SemVer 2.0.0 without build metadata.
                 * @example 1.1.0
                 */
                version: components["parameters"]["VersionPath"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The version. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Version"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFoundOrVersionNotFound"];
            408: components["responses"]["RequestTimeout"];
            410: components["responses"]["ContentRevoked"];
            412: components["responses"]["RevisionUnknown"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    diffVersions: {
        parameters: {
            query?: {
                /** @description The version to compare with. Default: the version that is active in the default channel. */
                against?: string;
            };
            header?: {
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
                /**
                 * @description SemVer 2.0.0 without build metadata.
                 * @example 1.1.0
                 */
                version: components["parameters"]["VersionPath"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How they differ. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Diff"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            /** @description `pack-not-found`: No such pack. `version-not-found`: No such version. `channel-not-found`: No such channel. */
            404: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            410: components["responses"]["ContentRevoked"];
            412: components["responses"]["RevisionUnknown"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    revokeVersion: {
        parameters: {
            query?: never;
            header?: {
                /** @description At most 255 characters, quoted or bare. Repeating the request with the same key has no further effect and returns the same response. */
                "idempotency-key"?: components["parameters"]["IdempotencyKeyHeader"];
                /** @description `wait=<seconds>` (RFC 7240), at most 30: respond once every live instance has applied the move. A 202 means that some have not applied it in time. */
                prefer?: components["parameters"]["PreferHeader"];
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
                /**
                 * @description SemVer 2.0.0 without build metadata.
                 * @example 1.1.0
                 */
                version: components["parameters"]["VersionPath"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RevokeRequest"];
            };
        };
        responses: {
            /** @description Revoked. With `dryRun`: what the revocation would do. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Revocation"];
                };
            };
            /** @description Revoked. With `Prefer: wait`: some instances have not applied it in time. */
            202: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Revocation"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFoundOrVersionNotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `version-revoked`: The version is revoked. `replacement-required`: A replacement is required. */
            409: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["RevisionUnknown"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["PolicyViolatedOrUnknownVersionOrIdempotencyMismatch"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["UnavailableOrStoreBusyOrOutcomeUnknown"];
        };
    };
    getActivePack: {
        parameters: {
            query?: {
                /** @description Name of a channel: lower-case letters, digits and hyphens, at most 63. */
                channel?: components["parameters"]["ChannelQuery"];
                /** @description The id that a read is decided for: a user, an account, a conversation. Compared as it is. Never send an e-mail address. */
                subject?: components["parameters"]["SubjectQuery"];
                /** @description Facts about the subject, each name once. */
                attribute?: components["parameters"]["AttributeQuery"];
            };
            header?: {
                /** @description ETags that you have; a match returns 304. */
                "if-none-match"?: components["parameters"]["IfNoneMatchHeader"];
                /** @description The subject, percent-encoded, if it should not be in the address. */
                "registry-subject"?: components["parameters"]["RegistrySubjectHeader"];
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The active pack. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    ETag: components["headers"]["ETag"];
                    "Registry-Assignment": components["headers"]["Registry-Assignment"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ActivePack"];
                };
            };
            304: components["responses"]["NotModifiedOfArm"];
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFoundOrChannelNotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listActivations: {
        parameters: {
            query?: {
                /** @description Name of a channel: lower-case letters, digits and hyphens, at most 63. */
                channel?: components["parameters"]["ChannelQuery"];
                /** @description The move in force at this time, and the moves before it. */
                at?: string;
                /** @description The maximum number of entries. */
                limit?: components["parameters"]["LimitQuery"];
                /** @description `nextCursor` of the previous page. Omit it to start from the beginning. */
                cursor?: components["parameters"]["CursorQuery"];
            };
            header?: {
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of moves. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ActivationPage"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    activateVersion: {
        parameters: {
            query?: never;
            header?: {
                /** @description At most 255 characters, quoted or bare. Repeating the request with the same key has no further effect and returns the same response. */
                "idempotency-key"?: components["parameters"]["IdempotencyKeyHeader"];
                /** @description `wait=<seconds>` (RFC 7240), at most 30: respond once every live instance has applied the move. A 202 means that some have not applied it in time. */
                prefer?: components["parameters"]["PreferHeader"];
                /** @description The ETag of `getActivePack`, or `"<revision>"` of the channel; to change a rollout, those of `getRollout`. Refused if it has changed since. */
                "if-match"?: components["parameters"]["IfMatchHeader"];
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ActivateRequest"];
            };
        };
        responses: {
            200: components["responses"]["OkActivationOrPreview"];
            201: components["responses"]["CreatedActivation"];
            202: components["responses"]["AcceptedActivation"];
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFoundOrChannelNotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `version-revoked`: The version is revoked. `nothing-to-roll-back-to`: Nothing to roll back to. `already-active`: The version is already active. `trial-running`: A trial is running. */
            409: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["RevisionConflictOrRevisionUnknown"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["PolicyViolatedOrUnknownVersionOrIdempotencyMismatch"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["UnavailableOrStoreBusyOrOutcomeUnknown"];
        };
    };
    rollbackPack: {
        parameters: {
            query?: never;
            header?: {
                /** @description At most 255 characters, quoted or bare. Repeating the request with the same key has no further effect and returns the same response. */
                "idempotency-key"?: components["parameters"]["IdempotencyKeyHeader"];
                /** @description `wait=<seconds>` (RFC 7240), at most 30: respond once every live instance has applied the move. A 202 means that some have not applied it in time. */
                prefer?: components["parameters"]["PreferHeader"];
                /** @description The ETag of `getActivePack`, or `"<revision>"` of the channel; to change a rollout, those of `getRollout`. Refused if it has changed since. */
                "if-match"?: components["parameters"]["IfMatchHeader"];
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RollbackRequest"];
            };
        };
        responses: {
            200: components["responses"]["OkActivationOrPreview"];
            201: components["responses"]["CreatedActivation"];
            202: components["responses"]["AcceptedActivation"];
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFoundOrChannelNotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `version-revoked`: The version is revoked. `nothing-to-roll-back-to`: Nothing to roll back to. `never-active`: The version was never active here. `not-active`: Another version is active now. */
            409: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["RevisionConflictOrRevisionUnknown"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["PolicyViolatedOrUnknownVersionOrIdempotencyMismatch"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["UnavailableOrStoreBusyOrOutcomeUnknown"];
        };
    };
    getSystemPrompt: {
        parameters: {
            query?: {
                /** @description Name of a pack: lower-case letters, digits and hyphens, at most 63. */
                pack?: components["parameters"]["PackQuery"];
                /** @description Name of a channel: lower-case letters, digits and hyphens, at most 63. */
                channel?: components["parameters"]["ChannelQuery"];
                /** @description The id that a read is decided for: a user, an account, a conversation. Compared as it is. Never send an e-mail address. */
                subject?: components["parameters"]["SubjectQuery"];
                /** @description Facts about the subject, each name once. */
                attribute?: components["parameters"]["AttributeQuery"];
            };
            header?: {
                /** @description ETags that you have; a match returns 304. */
                "if-none-match"?: components["parameters"]["IfNoneMatchHeader"];
                /** @description The subject, percent-encoded, if it should not be in the address. */
                "registry-subject"?: components["parameters"]["RegistrySubjectHeader"];
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The system prompt. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    ETag: components["headers"]["ETag"];
                    "Registry-Assignment": components["headers"]["Registry-Assignment"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SystemPrompt"];
                };
            };
            304: components["responses"]["NotModifiedOfArm"];
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFoundOrChannelNotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listStyles: {
        parameters: {
            query?: {
                /** @description Name of a pack: lower-case letters, digits and hyphens, at most 63. */
                pack?: components["parameters"]["PackQuery"];
                /** @description Name of a channel: lower-case letters, digits and hyphens, at most 63. */
                channel?: components["parameters"]["ChannelQuery"];
                /** @description The id that a read is decided for: a user, an account, a conversation. Compared as it is. Never send an e-mail address. */
                subject?: components["parameters"]["SubjectQuery"];
                /** @description Facts about the subject, each name once. */
                attribute?: components["parameters"]["AttributeQuery"];
            };
            header?: {
                /** @description ETags that you have; a match returns 304. */
                "if-none-match"?: components["parameters"]["IfNoneMatchHeader"];
                /** @description The subject, percent-encoded, if it should not be in the address. */
                "registry-subject"?: components["parameters"]["RegistrySubjectHeader"];
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The styles. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    ETag: components["headers"]["ETag"];
                    "Registry-Assignment": components["headers"]["Registry-Assignment"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StyleList"];
                };
            };
            304: components["responses"]["NotModifiedOfArm"];
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFoundOrChannelNotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getStylePrompt: {
        parameters: {
            query?: {
                /** @description Name of a pack: lower-case letters, digits and hyphens, at most 63. */
                pack?: components["parameters"]["PackQuery"];
                /** @description Name of a channel: lower-case letters, digits and hyphens, at most 63. */
                channel?: components["parameters"]["ChannelQuery"];
                /** @description The id that a read is decided for: a user, an account, a conversation. Compared as it is. Never send an e-mail address. */
                subject?: components["parameters"]["SubjectQuery"];
                /** @description Facts about the subject, each name once. */
                attribute?: components["parameters"]["AttributeQuery"];
            };
            header?: {
                /** @description ETags that you have; a match returns 304. */
                "if-none-match"?: components["parameters"]["IfNoneMatchHeader"];
                /** @description The subject, percent-encoded, if it should not be in the address. */
                "registry-subject"?: components["parameters"]["RegistrySubjectHeader"];
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a style: lower-case letters, digits and hyphens, at most 63.
                 * @example supportive
                 */
                styleId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The style prompt. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    ETag: components["headers"]["ETag"];
                    "Registry-Assignment": components["headers"]["Registry-Assignment"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StylePrompt"];
                };
            };
            304: components["responses"]["NotModifiedOfArm"];
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            /** @description `pack-not-found`: No such pack. `channel-not-found`: No such channel. `style-not-found`: No such style. */
            404: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getChannel: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETags that you have; a match returns 304. */
                "if-none-match"?: components["parameters"]["IfNoneMatchHeader"];
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
                /**
                 * @description Name of a channel: lower-case letters, digits and hyphens, at most 63.
                 * @example production
                 */
                channel: components["parameters"]["ChannelPath"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The channel. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelState"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFoundOrChannelNotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    confirmActivation: {
        parameters: {
            query?: never;
            header?: {
                /** @description At most 255 characters, quoted or bare. Repeating the request with the same key has no further effect and returns the same response. */
                "idempotency-key"?: components["parameters"]["IdempotencyKeyHeader"];
                /** @description `wait=<seconds>` (RFC 7240), at most 30: respond once every live instance has applied the move. A 202 means that some have not applied it in time. */
                prefer?: components["parameters"]["PreferHeader"];
                /** @description The ETag of `getActivePack`, or `"<revision>"` of the channel; to change a rollout, those of `getRollout`. Refused if it has changed since. */
                "if-match"?: components["parameters"]["IfMatchHeader"];
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
                /**
                 * @description Name of a channel: lower-case letters, digits and hyphens, at most 63.
                 * @example production
                 */
                channel: components["parameters"]["ChannelPath"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReasonRequest"];
            };
        };
        responses: {
            /** @description Confirmed. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Confirmation"];
                };
            };
            /** @description Confirmed. With `Prefer: wait`: some instances have not applied it in time. */
            202: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Confirmation"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            /** @description `pack-not-found`: No such pack. `channel-not-found`: No such channel. `no-trial`: No trial. */
            404: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionConflictOrRevisionUnknown"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyMismatch"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["UnavailableOrStoreBusyOrOutcomeUnknown"];
        };
    };
    listRollouts: {
        parameters: {
            query?: {
                /** @description Name of a channel: lower-case letters, digits and hyphens, at most 63. */
                channel?: components["parameters"]["ChannelQuery"];
                /** @description Only rollouts in this state. */
                state?: "running" | "paused" | "baking" | "promoted" | "aborted";
                /** @description The maximum number of entries. */
                limit?: components["parameters"]["LimitQuery"];
                /** @description `nextCursor` of the previous page. Omit it to start from the beginning. */
                cursor?: components["parameters"]["CursorQuery"];
            };
            header?: {
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of rollouts. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RolloutPage"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    startRollout: {
        parameters: {
            query?: never;
            header?: {
                /** @description At most 255 characters, quoted or bare. Repeating the request with the same key has no further effect and returns the same response. */
                "idempotency-key"?: components["parameters"]["IdempotencyKeyHeader"];
                /** @description `wait=<seconds>` (RFC 7240), at most 30: respond once every live instance has applied the move. A 202 means that some have not applied it in time. */
                prefer?: components["parameters"]["PreferHeader"];
                /** @description The ETag of `getActivePack`, or `"<revision>"` of the channel; to change a rollout, those of `getRollout`. Refused if it has changed since. */
                "if-match"?: components["parameters"]["IfMatchHeader"];
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StartRolloutRequest"];
            };
        };
        responses: {
            /** @description With `dryRun`: what the rollout would do. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RolloutOrPreview"];
                };
            };
            /** @description Started. */
            201: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rollout"];
                };
            };
            /** @description Started. With `Prefer: wait`: some instances have not applied it in time. */
            202: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rollout"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            /** @description `pack-not-found`: No such pack. `channel-not-found`: No such channel. `rollout-not-found`: No such rollout. */
            404: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            /** @description `version-revoked`: The version is revoked. `rollout-running`: A rollout is running. `already-active`: The version is already active. `trial-running`: A trial is running. `older-instances`: Instances of an older build are running. */
            409: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["RevisionConflictOrRevisionUnknown"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["PolicyViolatedOrUnknownVersionOrIdempotencyMismatch"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["UnavailableOrStoreBusyOrOutcomeUnknown"];
        };
    };
    getRollout: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETags that you have; a match returns 304. */
                "if-none-match"?: components["parameters"]["IfNoneMatchHeader"];
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
                /**
                 * @description Id of a rollout: the revision of the event that started it.
                 * @example 12
                 */
                rollout: components["parameters"]["RolloutPath"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rollout. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rollout"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFoundOrRolloutNotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    advanceRollout: {
        parameters: {
            query?: never;
            header?: {
                /** @description At most 255 characters, quoted or bare. Repeating the request with the same key has no further effect and returns the same response. */
                "idempotency-key"?: components["parameters"]["IdempotencyKeyHeader"];
                /** @description `wait=<seconds>` (RFC 7240), at most 30: respond once every live instance has applied the move. A 202 means that some have not applied it in time. */
                prefer?: components["parameters"]["PreferHeader"];
                /** @description The ETag of `getActivePack`, or `"<revision>"` of the channel; to change a rollout, those of `getRollout`. Refused if it has changed since. */
                "if-match"?: components["parameters"]["IfMatchHeader"];
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
                /**
                 * @description Id of a rollout: the revision of the event that started it.
                 * @example 12
                 */
                rollout: components["parameters"]["RolloutPath"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AdvanceRolloutRequest"];
            };
        };
        responses: {
            200: components["responses"]["OkRolloutOrPreview"];
            202: components["responses"]["AcceptedRollout"];
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFoundOrRolloutNotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["RolloutEnded"];
            412: components["responses"]["RevisionConflictOrRevisionUnknown"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyMismatch"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["UnavailableOrStoreBusyOrOutcomeUnknown"];
        };
    };
    pauseRollout: {
        parameters: {
            query?: never;
            header?: {
                /** @description At most 255 characters, quoted or bare. Repeating the request with the same key has no further effect and returns the same response. */
                "idempotency-key"?: components["parameters"]["IdempotencyKeyHeader"];
                /** @description `wait=<seconds>` (RFC 7240), at most 30: respond once every live instance has applied the move. A 202 means that some have not applied it in time. */
                prefer?: components["parameters"]["PreferHeader"];
                /** @description The ETag of `getActivePack`, or `"<revision>"` of the channel; to change a rollout, those of `getRollout`. Refused if it has changed since. */
                "if-match"?: components["parameters"]["IfMatchHeader"];
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
                /**
                 * @description Id of a rollout: the revision of the event that started it.
                 * @example 12
                 */
                rollout: components["parameters"]["RolloutPath"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SteerRolloutRequest"];
            };
        };
        responses: {
            200: components["responses"]["OkRolloutOrPreview"];
            202: components["responses"]["AcceptedRollout"];
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFoundOrRolloutNotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["RolloutEnded"];
            412: components["responses"]["RevisionConflictOrRevisionUnknown"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyMismatch"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["UnavailableOrStoreBusyOrOutcomeUnknown"];
        };
    };
    resumeRollout: {
        parameters: {
            query?: never;
            header?: {
                /** @description At most 255 characters, quoted or bare. Repeating the request with the same key has no further effect and returns the same response. */
                "idempotency-key"?: components["parameters"]["IdempotencyKeyHeader"];
                /** @description `wait=<seconds>` (RFC 7240), at most 30: respond once every live instance has applied the move. A 202 means that some have not applied it in time. */
                prefer?: components["parameters"]["PreferHeader"];
                /** @description The ETag of `getActivePack`, or `"<revision>"` of the channel; to change a rollout, those of `getRollout`. Refused if it has changed since. */
                "if-match"?: components["parameters"]["IfMatchHeader"];
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
                /**
                 * @description Id of a rollout: the revision of the event that started it.
                 * @example 12
                 */
                rollout: components["parameters"]["RolloutPath"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SteerRolloutRequest"];
            };
        };
        responses: {
            200: components["responses"]["OkRolloutOrPreview"];
            202: components["responses"]["AcceptedRollout"];
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFoundOrRolloutNotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["RolloutEnded"];
            412: components["responses"]["RevisionConflictOrRevisionUnknown"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyMismatch"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["UnavailableOrStoreBusyOrOutcomeUnknown"];
        };
    };
    promoteRollout: {
        parameters: {
            query?: never;
            header?: {
                /** @description At most 255 characters, quoted or bare. Repeating the request with the same key has no further effect and returns the same response. */
                "idempotency-key"?: components["parameters"]["IdempotencyKeyHeader"];
                /** @description `wait=<seconds>` (RFC 7240), at most 30: respond once every live instance has applied the move. A 202 means that some have not applied it in time. */
                prefer?: components["parameters"]["PreferHeader"];
                /** @description The ETag of `getActivePack`, or `"<revision>"` of the channel; to change a rollout, those of `getRollout`. Refused if it has changed since. */
                "if-match"?: components["parameters"]["IfMatchHeader"];
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
                /**
                 * @description Id of a rollout: the revision of the event that started it.
                 * @example 12
                 */
                rollout: components["parameters"]["RolloutPath"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EndRolloutRequest"];
            };
        };
        responses: {
            200: components["responses"]["OkRolloutOrPreview"];
            202: components["responses"]["AcceptedRollout"];
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFoundOrRolloutNotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["RolloutEnded"];
            412: components["responses"]["RevisionConflictOrRevisionUnknown"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyMismatch"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["UnavailableOrStoreBusyOrOutcomeUnknown"];
        };
    };
    abortRollout: {
        parameters: {
            query?: never;
            header?: {
                /** @description At most 255 characters, quoted or bare. Repeating the request with the same key has no further effect and returns the same response. */
                "idempotency-key"?: components["parameters"]["IdempotencyKeyHeader"];
                /** @description `wait=<seconds>` (RFC 7240), at most 30: respond once every live instance has applied the move. A 202 means that some have not applied it in time. */
                prefer?: components["parameters"]["PreferHeader"];
                /** @description The ETag of `getActivePack`, or `"<revision>"` of the channel; to change a rollout, those of `getRollout`. Refused if it has changed since. */
                "if-match"?: components["parameters"]["IfMatchHeader"];
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
                /**
                 * @description Id of a rollout: the revision of the event that started it.
                 * @example 12
                 */
                rollout: components["parameters"]["RolloutPath"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EndRolloutRequest"];
            };
        };
        responses: {
            200: components["responses"]["OkRolloutOrPreview"];
            202: components["responses"]["AcceptedRollout"];
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFoundOrRolloutNotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["RolloutEnded"];
            412: components["responses"]["RevisionConflictOrRevisionUnknown"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyMismatch"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["UnavailableOrStoreBusyOrOutcomeUnknown"];
        };
    };
    listSchedule: {
        parameters: {
            query?: {
                /** @description Name of a channel: lower-case letters, digits and hyphens, at most 63. */
                channel?: components["parameters"]["ChannelQuery"];
            };
            header?: {
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The schedule. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFoundOrChannelNotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    scheduleActivation: {
        parameters: {
            query?: never;
            header?: {
                /** @description At most 255 characters, quoted or bare. Repeating the request with the same key has no further effect and returns the same response. */
                "idempotency-key"?: components["parameters"]["IdempotencyKeyHeader"];
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScheduleRequest"];
            };
        };
        responses: {
            /** @description Scheduled. */
            201: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduledActivation"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFoundOrChannelNotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `version-revoked`: The version is revoked. `schedule-full`: Too many scheduled activations. */
            409: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["RevisionUnknown"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["PolicyViolatedOrUnknownVersionOrIdempotencyMismatch"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["UnavailableOrStoreBusyOrOutcomeUnknown"];
        };
    };
    cancelScheduledActivation: {
        parameters: {
            query?: never;
            header?: {
                /** @description At most 255 characters, quoted or bare. Repeating the request with the same key has no further effect and returns the same response. */
                "idempotency-key"?: components["parameters"]["IdempotencyKeyHeader"];
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: components["parameters"]["PackPath"];
                /**
                 * @description Id of a scheduled activation: that of the event that scheduled it.
                 * @example 0d9c6a52-7f1e-4c57-9a35-0b8f4f5e2f11
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReasonRequest"];
            };
        };
        responses: {
            /** @description Cancelled. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CancelledActivation"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            /** @description `pack-not-found`: No such pack. `schedule-not-found`: No such scheduled activation. */
            404: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyMismatch"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["UnavailableOrStoreBusyOrOutcomeUnknown"];
        };
    };
    startCoachSession: {
        parameters: {
            query?: never;
            header?: {
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StartSessionRequest"];
            };
        };
        responses: {
            /** @description Started. */
            201: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFoundOrChannelNotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `style-not-supported`: The style is not supported. */
            422: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getCoachSession: {
        parameters: {
            query?: never;
            header?: {
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Opaque. Keep it to read the session again.
                 * @example eyJhbGciOiJIUzI1NiIsImtpZCI6IjExMmQ3YSJ9.e30.c2ln
                 */
                sessionId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            /** @description `session-not-found`: No such session. */
            404: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            /** @description `session-ended`: The session was ended. */
            410: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["RevisionUnknown"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listEvents: {
        parameters: {
            query?: {
                /** @description Only events with a higher revision. */
                after?: number;
                /** @description Only events with a lower revision. */
                before?: number;
                /** @description Which events come first. */
                order?: "oldest" | "newest";
                /** @description The maximum number of entries. */
                limit?: components["parameters"]["LimitQuery"];
                /** @description Name of a pack: lower-case letters, digits and hyphens, at most 63. */
                pack?: components["parameters"]["PackQuery"];
                /** @description Name of a channel: lower-case letters, digits and hyphens, at most 63. */
                channel?: components["parameters"]["ChannelQuery"];
                /** @description Key id of the actor, 1 to 32 letters, digits and hyphens; `system` for the registry itself. */
                actor?: string;
                /** @description Only events of this type. */
                type?: "registry-created" | "version-published" | "version-activated" | "version-rolled-back" | "version-revoked" | "policy-changed" | "key-created" | "key-revoked" | "registry-restored" | "rollout-started" | "rollout-advanced" | "rollout-paused" | "rollout-resumed" | "rollout-aborted" | "activation-scheduled" | "schedule-cancelled" | "schedule-skipped" | "activation-confirmed" | "trial-stayed";
                /** @description The event with this id. */
                id?: string;
                /** @description Only events at or after this time. */
                from?: string;
                /** @description Only events at or before this time. */
                to?: string;
            };
            header?: {
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of events. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventPage"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getAuditHead: {
        parameters: {
            query?: never;
            header?: {
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The head. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Head"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    verifyAudit: {
        parameters: {
            query?: never;
            header?: {
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The result. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Verification"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    streamEvents: {
        parameters: {
            query?: {
                /** @description Name of a pack: lower-case letters, digits and hyphens, at most 63. */
                pack?: components["parameters"]["PackQuery"];
                /** @description Name of a channel: lower-case letters, digits and hyphens, at most 63. */
                channel?: components["parameters"]["ChannelQuery"];
            };
            header?: {
                /** @description `id` of the last message that you have. The stream continues after it, without a gap or a repeat. It is a revision, e.g. 42; after a restore also the epoch, e.g. 2:17. */
                "last-event-id"?: string;
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The stream. It does not end. The schema describes the `data` of each message. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["StreamMessage"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFoundOrChannelNotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listKeys: {
        parameters: {
            query?: never;
            header?: {
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyList"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    createKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description At most 255 characters, quoted or bare. Repeating the request with the same key has no further effect and returns the same response. */
                "idempotency-key"?: components["parameters"]["IdempotencyKeyHeader"];
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateKeyRequest"];
            };
        };
        responses: {
            /** @description Created. */
            201: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewKey"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyMismatch"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["UnavailableOrStoreBusyOrOutcomeUnknown"];
        };
    };
    revokeKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description At most 255 characters, quoted or bare. Repeating the request with the same key has no further effect and returns the same response. */
                "idempotency-key"?: components["parameters"]["IdempotencyKeyHeader"];
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Id of a key; not secret.
                 * @example k7Qm2Xw9Lp3
                 */
                keyId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RevokeKeyRequest"];
            };
        };
        responses: {
            /** @description Revoked. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Key"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            /** @description `key-not-found`: No such key. */
            404: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyMismatch"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["UnavailableOrStoreBusyOrOutcomeUnknown"];
        };
    };
    listInstances: {
        parameters: {
            query?: never;
            header?: {
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The instances. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InstanceList"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    live: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Alive. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Liveness"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            408: components["responses"]["RequestTimeout"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
        };
    };
    ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ready. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            408: components["responses"]["RequestTimeout"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            /** @description `not-ready`: Not ready. */
            503: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    "Retry-After": components["headers"]["Retry-After"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: {
                /** @description The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` of that response; default: the current epoch. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metrics. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": components["schemas"]["Metrics"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["RevisionUnknown"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getProblem: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The `code` of a problem.
                 * @example pack-not-found
                 */
                code: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The meaning. */
            200: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProblemKind"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            /** @description `not-found`: No such resource. */
            404: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeaderTooLarge"];
            500: components["responses"]["Internal"];
            /** @description `overloaded`: Overloaded. */
            503: {
                headers: {
                    "Registry-Revision": components["headers"]["Registry-Revision"];
                    "Registry-Epoch": components["headers"]["Registry-Epoch"];
                    "Registry-Stale": components["headers"]["Registry-Stale"];
                    "Registry-Pinned": components["headers"]["Registry-Pinned"];
                    "Retry-After": components["headers"]["Retry-After"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
