/** The types of the API: generated from openapi.yaml by "npm run client:types", never edited. */

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
         * @description Every pack with its channels and its 20 highest versions.
         *
         *     Scope: `prompts:read`.
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
         * @description One pack with its channels and its 20 highest versions.
         *
         *     Scope: `prompts:read`.
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
         * @description The floor: what every version of the pack must hold before it may be active.
         *
         *     Scope: `prompts:read`.
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
         * @description The highest SemVer first, page by page.
         *
         *     Scope: `prompts:read`.
         */
        get: operations["listVersions"];
        put?: never;
        /**
         * Register a version
         * @description Registers an immutable version; it is not active until it is activated. A pack that is not there yet is made. The same again is a success without effect; anything else under the same version is refused.
         *
         *     Scope: `packs:publish`.
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
         * @description A registered version with its texts, active or not. The texts of a revoked one are for auditors only (`audit:read`).
         *
         *     Scope: `prompts:read`.
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
         * @description Unified hunks per prompt, changes of metadata, styles gained and lost, from the version `against` to this one. Where either is revoked, for auditors only (`audit:read`).
         *
         *     Scope: `prompts:read`.
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
         * @description Kills a version for good: from the answer on it is neither read nor activated nor served to sessions. Channels that point at it move in the same event, to `replacement` or down their stack; sessions pinned on it go on with what stands in for it.
         *
         *     Scope: `packs:revoke`.
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
         * @description The whole version that the channel points at: system prompt, styles, metadata. Conditional.
         *
         *     Scope: `prompts:read`.
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
         * @description Every move of its channels, rollbacks and revocations included, the newest first, page by page. `at` asks for a time: the first entry is the one in force then.
         *
         *     Scope: `audit:read`.
         */
        get: operations["listActivations"];
        put?: never;
        /**
         * Activate a version
         * @description Points a channel at any registered version, at once and whole. Activating what is active already is a success without effect.
         *
         *     Scope: `packs:activate`.
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
         * Roll a channel back
         * @description Walks one step down the stack of versions that were active in the channel, or to `toVersion`. Pressing it twice goes two back, never forward again. Send `fromVersion` or `If-Match`, so that two operators do not roll back twice.
         *
         *     Scope: `packs:activate`.
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
         * @description The system prompt of the active version of a pack; of the default pack where none is named. Conditional.
         *
         *     Scope: `prompts:read`.
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
         * @description The styles that the active version supports, in its own order. Conditional.
         *
         *     Scope: `prompts:read`.
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
         * @description One style of the active version. A style that the version lacks is a 404 that lists those it has. Conditional.
         *
         *     Scope: `prompts:read`.
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
         * @description Starts a session on the active version of the default pack. The answer says which version that is; the session keeps it until it expires.
         *
         *     Scope: `sessions:start`.
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
         * @description The session as it was pinned at its start, after any number of activations, rollbacks and restarts.
         *
         *     Scope: `prompts:read`.
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
         * @description Who did what, when and why, page by page; all conditions hold together. The oldest come first: ask with `after=<nextAfter>` for the next page. With `order=newest` the newest come first: ask with `before=<nextBefore>`.
         *
         *     Scope: `audit:read`.
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
         * @description The place to keep outside, so that a cut tail or a rewritten chain can be found later.
         *
         *     Scope: `audit:read`.
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
         * @description Hashes every event and every content again. Finds each changed, removed, reordered or inserted event and each changed content. An attacker who rewrites the whole chain is found only against a head that was kept outside (`npm run audit:verify -- --head REVISION:HASH`). A long log takes a while.
         *
         *     Scope: `audit:read`.
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
         * @description Server-Sent Events. First comes `event: revision` with the current place in the log, then one message a revision: `event` is the type of the event, `data` says which channels moved where; no prompt texts.
         *
         *     The `id` of each message is the place up to which the caller has everything; sent back as `Last-Event-ID` it resumes, on any instance, without a gap or a repeat.
         *
         *     Where that place is not in the log, because a database was restored, comes `event: resync`: read again what you keep, then go on from here.
         *
         *     `event: heartbeat` comes every 15 s. With `pack` or `channel` only what is about them is sent, and heartbeats carry the `id` past the rest. A reader that does not keep up is cut off, and resumes.
         *
         *     Swagger UI cannot show an answer without an end, so it has no Execute here. From a shell: `curl -N -H "Authorization: Bearer prk_…" <this server>/v1/events`.
         *
         *     Scope: `prompts:read`.
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
         * @description Every key that was ever made, revoked ones included, in order of creation; never a secret.
         *
         *     Scope: `keys:admin`.
         */
        get: operations["listKeys"];
        put?: never;
        /**
         * Make a key
         * @description The whole token is in `secret` of this answer and nowhere else. A key can grant only scopes that its maker holds.
         *
         *     Scope: `keys:admin`.
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
         * @description It stops working with the next request. A key that can do more than yours cannot be revoked with it.
         *
         *     Scope: `keys:admin`.
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
         * @description Every instance that has a lease in the store, as far as the one that answers knows: the longest running first. One that has not been seen for ten minutes is forgotten.
         *
         *     Scope: `audit:read`.
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
         * @description Depends on nothing but the process itself; restart it where this fails.
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
         * @description Ready as soon as there is a whole snapshot to answer from, until the process is asked to end; send no requests where this fails. An instance that lost its store stays ready: it serves what it has, and says `stale` here and on every answer.
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
         * @description For Prometheus to scrape: requests, reads by version, moves, freshness, the store, the process. docs/observability tells what each means.
         *
         *     Scope: `metrics:read`.
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
         * What an error means
         * @description The page behind a problem's `type`.
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
             * @description What the error means, for people.
             * @example /problems/pack-not-found
             */
            type: string;
            /** @example No such pack */
            title: string;
            /** @example 404 */
            status: number;
            /** @description What was wrong this time, where, and what would be right. */
            detail: string;
            /**
             * Format: uri-reference
             * @description The path that was asked.
             * @example /v1/packs/choach
             */
            instance?: string;
            /**
             * @description Stable; made for programs.
             * @example validation-failed
             * @enum {string}
             */
            code: "validation-failed" | "pack-not-found" | "version-not-found" | "channel-not-found" | "style-not-found" | "session-not-found" | "key-not-found" | "forbidden" | "policy-violated" | "unknown-version" | "style-not-supported" | "version-exists" | "version-revoked" | "replacement-required" | "content-revoked" | "idempotency-mismatch" | "nothing-to-roll-back-to" | "never-active" | "not-active" | "revision-conflict" | "store-unavailable" | "store-busy" | "outcome-unknown" | "revision-not-reached" | "revision-unknown" | "not-ready" | "unauthenticated" | "not-found" | "method-not-allowed" | "request-timeout" | "payload-too-large" | "uri-too-long" | "unsupported-media-type" | "header-too-large" | "rate-limited" | "overloaded" | "internal";
            errors?: {
                pointer?: string;
                parameter?: string;
                detail: string;
            }[];
            knownPacks?: string[];
            knownVersions?: string[];
            knownChannels?: string[];
            supportedStyles?: string[];
            everActive?: string[];
            currentRevision?: number;
            eventId?: string;
            requestId?: string;
            requiredScopes?: ("prompts:read" | "packs:publish" | "packs:activate" | "packs:revoke" | "sessions:start" | "audit:read" | "metrics:read" | "keys:admin" | "*")[];
            violations?: components["schemas"]["Violation"][];
            /** @description Versions that would do as a replacement. */
            candidates?: string[];
        } & {
            [key: string]: unknown;
        };
        /** @description Which instances have applied the move. Only where the request preferred to wait. */
        InstancesReached: {
            /** @description They answer from the move, or from what came after it. */
            applied: string[];
            /** @description They have not applied it yet. */
            pending: string[];
            /** @description They serve a version of their own (`PIN_VERSION`), whatever the log says. */
            pinned: string[];
            /** @description They have not been heard of for seven seconds: stopped, cut off or gone. What they may still answer is marked `Registry-Stale`. */
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
             * @description The edition of the pack format; this service reads 1.
             * @example 1
             */
            packFormat: number;
        };
        /** @description A style without its text. */
        StyleTitle: {
            /**
             * @description Name of a style: lower-case letters, digits and hyphens, at most 63.
             * @example supportive
             */
            id: string;
            /**
             * @description What people call the style.
             * @example Supportive
             */
            title: string;
        };
        /** @description A style with its text. */
        Style: {
            /**
             * @description Name of a style: lower-case letters, digits and hyphens, at most 63.
             * @example supportive
             */
            id: string;
            /**
             * @description What people call the style.
             * @example Supportive
             */
            title: string;
            /**
             * @description The style prompt.
             * @example Lead with what went well.
             */
            text: string;
        };
        /** @description One reason why a version may not be activated. */
        Violation: {
            /**
             * @description Which kind of rule is broken.
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
            /** @description What is wrong, and what would be right. */
            detail: string;
        };
        /** @description A version without its texts. */
        VersionSummary: {
            /**
             * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
             * @example coach
             */
            pack: string;
            /**
             * @description SemVer 2.0.0 without build metadata.
             * @example 1.1.0
             */
            version: string;
            /**
             * @description SHA-256 over RFC 8785 of the content: pack, version, system, styles in order, defaultStyle, compatibility.
             * @example sha256:4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
             */
            digest: string;
            /**
             * @description A revoked version is not served again.
             * @example registered
             * @enum {string}
             */
            status: "registered" | "revoked";
            /**
             * @description What this version is, in a sentence.
             * @example Warmer openings, clearer crisis wording
             */
            summary: string;
            /**
             * @description Who wrote it.
             * @example Coaching content team
             */
            author: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC.
             * @example 2026-01-31T09:30:00.000Z
             */
            publishedAt: string;
            publishedBy: components["schemas"]["Actor"];
            /**
             * @description Name of a style: lower-case letters, digits and hyphens, at most 63.
             * @example supportive
             */
            defaultStyle: string;
            compatibility: components["schemas"]["Compatibility"];
            /** @description Channels that point at it. */
            activeIn: string[];
            /** @description What keeps it from being activated; empty where nothing does. */
            problems: components["schemas"]["Violation"][];
            /**
             * @description Why the change is made; kept in the log for good.
             * @example Users report that answers are too blunt
             */
            revokedReason?: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC.
             * @example 2026-01-31T09:30:00.000Z
             */
            revokedAt?: string;
            /**
             * @description What stands in for it since it was revoked.
             * @example 1.1.0
             */
            replacement?: string;
            styles: components["schemas"]["StyleTitle"][];
        };
        /** @description A version with its texts. */
        Version: {
            /**
             * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
             * @example coach
             */
            pack: string;
            /**
             * @description SemVer 2.0.0 without build metadata.
             * @example 1.1.0
             */
            version: string;
            /**
             * @description SHA-256 over RFC 8785 of the content: pack, version, system, styles in order, defaultStyle, compatibility.
             * @example sha256:4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
             */
            digest: string;
            /**
             * @description A revoked version is not served again.
             * @example registered
             * @enum {string}
             */
            status: "registered" | "revoked";
            /**
             * @description What this version is, in a sentence.
             * @example Warmer openings, clearer crisis wording
             */
            summary: string;
            /**
             * @description Who wrote it.
             * @example Coaching content team
             */
            author: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC.
             * @example 2026-01-31T09:30:00.000Z
             */
            publishedAt: string;
            publishedBy: components["schemas"]["Actor"];
            /**
             * @description Name of a style: lower-case letters, digits and hyphens, at most 63.
             * @example supportive
             */
            defaultStyle: string;
            compatibility: components["schemas"]["Compatibility"];
            /** @description Channels that point at it. */
            activeIn: string[];
            /** @description What keeps it from being activated; empty where nothing does. */
            problems: components["schemas"]["Violation"][];
            /**
             * @description Why the change is made; kept in the log for good.
             * @example Users report that answers are too blunt
             */
            revokedReason?: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC.
             * @example 2026-01-31T09:30:00.000Z
             */
            revokedAt?: string;
            /**
             * @description What stands in for it since it was revoked.
             * @example 1.1.0
             */
            replacement?: string;
            system: string;
            styles: components["schemas"]["Style"][];
        };
        VersionPage: {
            /**
             * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
             * @example coach
             */
            pack: string;
            versions: components["schemas"]["VersionSummary"][];
            /**
             * @description Ask with it for the next page; null on the last one.
             * @example MS4wLjA
             */
            nextCursor: string | null;
        };
        /**
         * @description A version to be registered. Once registered it never changes. `defaultStyle` is the id of one of the styles.
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
            /**
             * @description SemVer 2.0.0 without build metadata.
             * @example 1.1.0
             */
            version: string;
            /**
             * @description What this version is, in a sentence.
             * @example Warmer openings, clearer crisis wording
             */
            summary: string;
            /**
             * @description Who wrote it.
             * @example Coaching content team
             */
            author: string;
            /**
             * @description Name of a style: lower-case letters, digits and hyphens, at most 63.
             * @example supportive
             */
            defaultStyle: string;
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
            /** @description Each begins with a blank (as it was), `-` (gone) or `+` (new). */
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
            /** @description JSON text. */
            from: string;
            /** @description JSON text. */
            to: string;
        };
        /** @description How two versions differ. */
        Diff: {
            /**
             * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
             * @example coach
             */
            pack: string;
            /**
             * @description The version compared with; null for nothing.
             * @example 1.0.0
             */
            from: string | null;
            /**
             * @description SemVer 2.0.0 without build metadata.
             * @example 1.1.0
             */
            to: string;
            assets: components["schemas"]["AssetDiff"][];
            metadata: components["schemas"]["MetadataDiff"][];
            stylesAdded: string[];
            stylesRemoved: string[];
        };
        /**
         * @example {
         *       "reason": "Leaves out the crisis wording",
         *       "replacement": "1.0.0",
         *       "dryRun": true
         *     }
         */
        RevokeRequest: {
            /**
             * @description Why the change is made; kept in the log for good.
             * @example Users report that answers are too blunt
             */
            reason: string;
            /**
             * @description What stands in for it: in channels that point at it, and in sessions pinned on it.
             * @example 1.1.0
             */
            replacement?: string;
            /** @description Only say what would happen. Leave it out to revoke the version for good. */
            dryRun?: boolean;
        };
        /** @description A move of a channel. */
        Move: {
            /**
             * @description Name of a channel: lower-case letters, digits and hyphens, at most 63.
             * @example production
             */
            channel: string;
            /**
             * @description SemVer 2.0.0 without build metadata.
             * @example 1.1.0
             */
            version: string;
            /**
             * @description SHA-256 over RFC 8785 of the content: pack, version, system, styles in order, defaultStyle, compatibility.
             * @example sha256:4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
             */
            digest: string;
            /** @example 2.0.0 */
            previousVersion: string | null;
        };
        /** @description A revocation, and where channels that pointed at the version went. In a dry run `revision` is the present one. */
        Revocation: {
            /**
             * @description Sequence number of an event in the log. It only grows; a rollback gets a new, higher one.
             * @example 7
             */
            revision: number;
            /**
             * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
             * @example coach
             */
            pack: string;
            /**
             * @description SemVer 2.0.0 without build metadata.
             * @example 1.1.0
             */
            version: string;
            moves: components["schemas"]["Move"][];
            instances?: components["schemas"]["InstancesReached"];
        };
        /** @description Where a channel of the pack points. */
        Channel: {
            /**
             * @description Name of a channel: lower-case letters, digits and hyphens, at most 63.
             * @example production
             */
            channel: string;
            /**
             * @description SemVer 2.0.0 without build metadata.
             * @example 1.1.0
             */
            version: string;
            /**
             * @description SHA-256 over RFC 8785 of the content: pack, version, system, styles in order, defaultStyle, compatibility.
             * @example sha256:4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
             */
            digest: string;
            /**
             * @description Sequence number of an event in the log. It only grows; a rollback gets a new, higher one.
             * @example 7
             */
            revision: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC.
             * @example 2026-01-31T09:30:00.000Z
             */
            activatedAt: string;
            activatedBy: components["schemas"]["Actor"];
        };
        /** @description A pack with its versions and channels. */
        Pack: {
            /**
             * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
             * @example coach
             */
            pack: string;
            versionCount: number;
            /**
             * @description The highest version that is no prerelease and not revoked; null where there is none.
             * @example 2.0.0
             */
            latest: string | null;
            /** @description The 20 highest; `listVersions` has all. */
            versions: components["schemas"]["VersionSummary"][];
            channels: components["schemas"]["Channel"][];
        };
        PackList: {
            packs: components["schemas"]["Pack"][];
        };
        /** @description The floor under every version of a pack. */
        Policy: {
            /**
             * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
             * @example coach
             */
            pack: string;
            /**
             * @description A higher one replaced a lower one; 0 where the pack has no policy.
             * @example 1
             */
            version: number;
            /** @description Sentences that a system prompt must contain. */
            clauses: {
                /**
                 * @description Names the rule in messages.
                 * @example not-a-therapist
                 */
                id: string;
                /** @example You are a coach, not a therapist. */
                text: string;
            }[];
            /** @description What no prompt may contain; each names a text or a pattern. */
            forbidden: {
                /**
                 * @description Names the rule in messages.
                 * @example not-a-therapist
                 */
                id: string;
                /** @description A plain text, in any case and spacing. */
                text?: string;
                /** @description An RE2 pattern; it sees the text as it is served, with every line end as \n. */
                pattern?: string;
            }[];
            /** @description Styles that every version must have. */
            requiredStyles: string[];
            /** @description Characters: of the system prompt, of each style, of all together. */
            limits: {
                /**
                 * @description The most characters.
                 * @example 20000
                 */
                system?: number;
                /**
                 * @description The most characters.
                 * @example 20000
                 */
                style?: number;
                /**
                 * @description The most characters.
                 * @example 20000
                 */
                total?: number;
            };
            /** @description The names that may stand in {{double braces}}. Braces are not checked if it is left out. */
            placeholders?: string[];
            /**
             * @description SHA-256 over RFC 8785 of the policy; null where there is none.
             * @example sha256:4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
             */
            digest: string | null;
            /**
             * @description The event that put it in force; null where there is none.
             * @example 2
             */
            revision: number | null;
        };
        /** @description The whole active version, from one snapshot. `revision` is the one that last moved the channel. */
        ActivePack: {
            /**
             * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
             * @example coach
             */
            pack: string;
            /**
             * @description Name of a channel: lower-case letters, digits and hyphens, at most 63.
             * @example production
             */
            channel: string;
            /**
             * @description SemVer 2.0.0 without build metadata.
             * @example 1.1.0
             */
            version: string;
            /**
             * @description SHA-256 over RFC 8785 of the content: pack, version, system, styles in order, defaultStyle, compatibility.
             * @example sha256:4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
             */
            digest: string;
            /**
             * @description Sequence number of an event in the log. It only grows; a rollback gets a new, higher one.
             * @example 7
             */
            revision: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC.
             * @example 2026-01-31T09:30:00.000Z
             */
            activatedAt: string;
            activatedBy: components["schemas"]["Actor"];
            /**
             * @description Why the change is made; kept in the log for good.
             * @example Users report that answers are too blunt
             */
            reason: string;
            /**
             * @description Name of a style: lower-case letters, digits and hyphens, at most 63.
             * @example supportive
             */
            defaultStyle: string;
            compatibility: components["schemas"]["Compatibility"];
            /** @description The system prompt. */
            system: string;
            styles: components["schemas"]["Style"][];
        };
        /** @description A move of a channel. */
        Activation: {
            /**
             * @description Sequence number of an event in the log. It only grows; a rollback gets a new, higher one.
             * @example 7
             */
            revision: number;
            /**
             * @description How the channel came to move.
             * @example activation
             * @enum {string}
             */
            kind: "activation" | "rollback" | "revocation";
            /**
             * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
             * @example coach
             */
            pack: string;
            /**
             * @description Name of a channel: lower-case letters, digits and hyphens, at most 63.
             * @example production
             */
            channel: string;
            /**
             * @description SemVer 2.0.0 without build metadata.
             * @example 1.1.0
             */
            version: string;
            /**
             * @description SHA-256 over RFC 8785 of the content: pack, version, system, styles in order, defaultStyle, compatibility.
             * @example sha256:4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
             */
            digest: string;
            /**
             * @description Where the channel was before; null where nowhere.
             * @example 2.0.0
             */
            previousVersion: string | null;
            actor: components["schemas"]["Actor"];
            /**
             * @description Why the change is made; kept in the log for good.
             * @example Users report that answers are too blunt
             */
            reason: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC.
             * @example 2026-01-31T09:30:00.000Z
             */
            activatedAt: string;
            /** @description False where the channel was there already: no event was made, and this tells how it came there. */
            changed: boolean;
            instances?: components["schemas"]["InstancesReached"];
        };
        ActivationPage: {
            activations: components["schemas"]["Activation"][];
            /**
             * @description Ask with it for the next page; null on the last one.
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
            /**
             * @description SemVer 2.0.0 without build metadata.
             * @example 1.1.0
             */
            version: string;
            /**
             * @description Name of a channel: lower-case letters, digits and hyphens, at most 63.
             * @example production
             */
            channel?: string;
            /**
             * @description Why the change is made; kept in the log for good.
             * @example Users report that answers are too blunt
             */
            reason: string;
            /** @description Only say what would happen. Leave it out to move the channel. */
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
            /**
             * @description Name of a channel: lower-case letters, digits and hyphens, at most 63.
             * @example production
             */
            channel?: string;
            /**
             * @description Why the change is made; kept in the log for good.
             * @example Users report that answers are too blunt
             */
            reason: string;
            /**
             * @description Back to this version, which was active in the channel before. Without it: one step down.
             * @example 1.1.0
             */
            toVersion?: string;
            /**
             * @description Only where this version is still the active one.
             * @example 1.1.0
             */
            fromVersion?: string;
            /** @description Only say what would happen. Leave it out to move the channel. */
            dryRun?: boolean;
        };
        /** @description What a move would do. */
        Preview: {
            /**
             * @description SemVer 2.0.0 without build metadata.
             * @example 1.1.0
             */
            wouldActivate: string;
            /**
             * @description What is active now; null where nothing is.
             * @example 2.0.0
             */
            previousVersion: string | null;
            /** @description How the prompts would change. Of a revoked version without its lines, for who may not read its texts (`audit:read`). */
            diff: components["schemas"]["AssetDiff"][];
            stylesAdded: string[];
            stylesRemoved: string[];
            /** @description What would refuse it; empty where nothing would. */
            problems: components["schemas"]["Violation"][];
        };
        /** @description The move in force (`changed: false`), or with `dryRun` what a move would do. */
        ActivationOrPreview: components["schemas"]["Activation"] | components["schemas"]["Preview"];
        /** @description A key, without its secret. */
        Key: {
            /**
             * @description Names a key; not secret.
             * @example k7Qm2Xw9Lp3
             */
            keyId: string;
            /**
             * @description Who or what the key is for; stands in the log as who acted.
             * @example coach-web production
             */
            label: string;
            scopes: ("prompts:read" | "packs:publish" | "packs:activate" | "packs:revoke" | "sessions:start" | "audit:read" | "metrics:read" | "keys:admin" | "*")[];
            /**
             * Format: date-time
             * @description RFC 3339, UTC.
             * @example 2026-01-31T09:30:00.000Z
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When it stops working; never where not given.
             * @example 2027-01-31T00:00:00Z
             */
            expiresAt?: string;
            createdBy: components["schemas"]["Actor"];
            /**
             * Format: date-time
             * @description RFC 3339, UTC.
             * @example 2026-01-31T09:30:00.000Z
             */
            revokedAt?: string;
        };
        /** @description A key that was just made. */
        NewKey: {
            /**
             * @description Names a key; not secret.
             * @example k7Qm2Xw9Lp3
             */
            keyId: string;
            /**
             * @description Who or what the key is for; stands in the log as who acted.
             * @example coach-web production
             */
            label: string;
            scopes: ("prompts:read" | "packs:publish" | "packs:activate" | "packs:revoke" | "sessions:start" | "audit:read" | "metrics:read" | "keys:admin" | "*")[];
            /**
             * Format: date-time
             * @description RFC 3339, UTC.
             * @example 2026-01-31T09:30:00.000Z
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When it stops working; never where not given.
             * @example 2027-01-31T00:00:00Z
             */
            expiresAt?: string;
            /**
             * @description The whole bearer token. It is shown this once; a replayed answer has none.
             * @example prk_k7Qm2Xw9Lp3a_0000000000000000000000000000000000000000000
             */
            secret?: string;
        };
        KeyList: {
            keys: components["schemas"]["Key"][];
        };
        /**
         * @description Set `expiresAt` to a time to come, or leave it out.
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
            /**
             * @description Who or what the key is for; stands in the log as who acted.
             * @example coach-web production
             */
            label: string;
            scopes: ("prompts:read" | "packs:publish" | "packs:activate" | "packs:revoke" | "sessions:start" | "audit:read" | "metrics:read" | "keys:admin" | "*")[];
            /**
             * Format: date-time
             * @description When it stops working; never where not given.
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
            /**
             * @description Why the change is made; kept in the log for good.
             * @example Users report that answers are too blunt
             */
            reason: string;
        };
        /** @description One entry of the log. */
        Event: {
            /**
             * @description Sequence number of an event in the log. It only grows; a rollback gets a new, higher one.
             * @example 7
             */
            revision: number;
            /**
             * @description Unique; `listEvents?id=` finds it.
             * @example 5c1f7d0e-5f0b-4f0a-9a5e-0f6b1a2c3d4e
             */
            id: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC.
             * @example 2026-01-31T09:30:00.000Z
             */
            at: string;
            /**
             * @description What happened: registry-created, version-published, version-activated, version-rolled-back, version-revoked, policy-changed, key-created, key-revoked, registry-restored, or a type that a newer build knows.
             * @example version-activated
             */
            type: string;
            actor: components["schemas"]["Actor"];
            /** @example Answers were too blunt */
            reason: string;
            /**
             * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
             * @example coach
             */
            pack?: string;
            /**
             * @description Name of a channel: lower-case letters, digits and hyphens, at most 63.
             * @example production
             */
            channel?: string;
            /**
             * @description SemVer 2.0.0 without build metadata.
             * @example 1.1.0
             */
            version?: string;
            /** @description What else belongs to the type; also the Idempotency-Key of the request. */
            data: {
                [key: string]: unknown;
            };
            /**
             * @description SHA-256 of RFC 8785 of the event as listed, without `hash`.
             * @example 4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
             */
            previousHash: string;
            /**
             * @description SHA-256 of RFC 8785 of the event as listed, without `hash`.
             * @example 4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
             */
            hash: string;
        };
        EventPage: {
            events: components["schemas"]["Event"][];
            /**
             * @description Ask with `after` for the next page; null on the last one, and with `order=newest`.
             * @example 9
             */
            nextAfter: number | null;
            /**
             * @description With `order=newest` alone: ask with `before` for the next page; null on the last one.
             * @example 5
             */
            nextBefore?: number | null;
        };
        /** @description The last event. Keep `(revision, hash)` outside: a chain that was rewritten as a whole is found only against it. */
        Head: {
            /**
             * @description Sequence number of an event in the log. It only grows; a rollback gets a new, higher one.
             * @example 7
             */
            revision: number;
            /**
             * @description SHA-256 of RFC 8785 of the event as listed, without `hash`.
             * @example 4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
             */
            hash: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC.
             * @example 2026-01-31T09:30:00.000Z
             */
            at: string;
        };
        /** @description Whether the log is the one that was written. */
        Verification: {
            valid: boolean;
            /** @description How many events were found whole. */
            events: number;
            /** @description The last whole event. */
            head: {
                /**
                 * @description Sequence number of an event in the log. It only grows; a rollback gets a new, higher one.
                 * @example 7
                 */
                revision: number;
                /**
                 * @description SHA-256 of RFC 8785 of the event as listed, without `hash`.
                 * @example 4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
                 */
                hash: string;
            };
            /** @description Where the log is broken first, and how. */
            firstBroken?: {
                /**
                 * @description Sequence number of an event in the log. It only grows; a rollback gets a new, higher one.
                 * @example 7
                 */
                revision: number;
                detail: string;
            };
        };
        /** @description The system prompt of the active version. */
        SystemPrompt: {
            /**
             * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
             * @example coach
             */
            pack: string;
            /**
             * @description Name of a channel: lower-case letters, digits and hyphens, at most 63.
             * @example production
             */
            channel: string;
            /**
             * @description SemVer 2.0.0 without build metadata.
             * @example 1.1.0
             */
            version: string;
            /**
             * @description SHA-256 over RFC 8785 of the content: pack, version, system, styles in order, defaultStyle, compatibility.
             * @example sha256:4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
             */
            digest: string;
            /**
             * @description Sequence number of an event in the log. It only grows; a rollback gets a new, higher one.
             * @example 7
             */
            revision: number;
            text: string;
        };
        /** @description The styles of the active version, in its own order. */
        StyleList: {
            /**
             * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
             * @example coach
             */
            pack: string;
            /**
             * @description Name of a channel: lower-case letters, digits and hyphens, at most 63.
             * @example production
             */
            channel: string;
            /**
             * @description SemVer 2.0.0 without build metadata.
             * @example 1.1.0
             */
            version: string;
            /**
             * @description SHA-256 over RFC 8785 of the content: pack, version, system, styles in order, defaultStyle, compatibility.
             * @example sha256:4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
             */
            digest: string;
            /**
             * @description Sequence number of an event in the log. It only grows; a rollback gets a new, higher one.
             * @example 7
             */
            revision: number;
            /**
             * @description Name of a style: lower-case letters, digits and hyphens, at most 63.
             * @example supportive
             */
            defaultStyle: string;
            styles: components["schemas"]["StyleTitle"][];
        };
        /** @description One style's prompt of the active version. */
        StylePrompt: {
            /**
             * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
             * @example coach
             */
            pack: string;
            /**
             * @description Name of a channel: lower-case letters, digits and hyphens, at most 63.
             * @example production
             */
            channel: string;
            /**
             * @description SemVer 2.0.0 without build metadata.
             * @example 1.1.0
             */
            version: string;
            /**
             * @description SHA-256 over RFC 8785 of the content: pack, version, system, styles in order, defaultStyle, compatibility.
             * @example sha256:4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
             */
            digest: string;
            /**
             * @description Sequence number of an event in the log. It only grows; a rollback gets a new, higher one.
             * @example 7
             */
            revision: number;
            /**
             * @description Name of a style: lower-case letters, digits and hyphens, at most 63.
             * @example supportive
             */
            styleId: string;
            /**
             * @description What people call the style.
             * @example Supportive
             */
            title: string;
            text: string;
        };
        /** @description A coach session and the pack version that it keeps. */
        Session: {
            /**
             * @description Opaque; keep it to read the session again.
             * @example eyJhbGciOiJIUzI1NiIsImtpZCI6IjExMmQ3YSJ9.e30.c2ln
             */
            sessionId: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC.
             * @example 2026-01-31T09:30:00.000Z
             */
            startedAt: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC.
             * @example 2026-01-31T09:30:00.000Z
             */
            expiresAt: string;
            /** @description The pin: what the session runs on until it expires. */
            promptPack: {
                /**
                 * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
                 * @example coach
                 */
                pack: string;
                /**
                 * @description Name of a channel: lower-case letters, digits and hyphens, at most 63.
                 * @example production
                 */
                channel: string;
                /**
                 * @description SemVer 2.0.0 without build metadata.
                 * @example 1.1.0
                 */
                version: string;
                /**
                 * @description SHA-256 over RFC 8785 of the content: pack, version, system, styles in order, defaultStyle, compatibility.
                 * @example sha256:4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
                 */
                digest: string;
                /**
                 * @description Sequence number of an event in the log. It only grows; a rollback gets a new, higher one.
                 * @example 7
                 */
                revision: number;
            };
            prompt: {
                /** @description The system prompt. */
                system: string;
                style: components["schemas"]["Style"];
            };
            /** @description Where the session was pinned; there since that version was revoked and another stands in for it. */
            movedFrom?: {
                /**
                 * @description SemVer 2.0.0 without build metadata.
                 * @example 1.1.0
                 */
                version: string;
                /**
                 * @description Name of a style: lower-case letters, digits and hyphens, at most 63.
                 * @example supportive
                 */
                styleId: string;
            };
            /** @description The channel is at another version by now; the session stays on its own. */
            superseded: boolean;
        };
        /**
         * @example {
         *       "styleId": "supportive"
         *     }
         */
        StartSessionRequest: {
            /**
             * @description Without it: the version's default style.
             * @example supportive
             */
            styleId?: string;
            /**
             * @description Name of a channel: lower-case letters, digits and hyphens, at most 63.
             * @example production
             */
            channel?: string;
        };
        /** @description A channel that the event moved. */
        StreamMove: {
            /**
             * @description Name of a channel: lower-case letters, digits and hyphens, at most 63.
             * @example production
             */
            channel: string;
            /**
             * @description SemVer 2.0.0 without build metadata.
             * @example 1.1.0
             */
            version: string;
            /**
             * @description SemVer 2.0.0 without build metadata.
             * @example 1.1.0
             */
            previousVersion: string | null;
            /**
             * @description SHA-256 over RFC 8785 of the content: pack, version, system, styles in order, defaultStyle, compatibility.
             * @example sha256:4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
             */
            digest: string;
        };
        /** @description `data` of one message of the stream. */
        StreamMessage: {
            /**
             * @description Which history the revision is of: 1, and one more after each accepted restore of the database.
             * @example 1
             */
            epoch: number;
            /**
             * @description Sequence number of an event in the log. It only grows; a rollback gets a new, higher one.
             * @example 7
             */
            revision: number;
            /**
             * @description Type of the event; absent in `revision`, `resync` and `heartbeat`.
             * @example version-activated
             */
            type?: string;
            /**
             * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
             * @example coach
             */
            pack?: string;
            /** @description Where the event moved channels to; empty where it moved none. */
            moves?: components["schemas"]["StreamMove"][];
            /**
             * Format: date-time
             * @description RFC 3339, UTC.
             * @example 2026-01-31T09:30:00.000Z
             */
            at?: string;
            /**
             * @description Seconds since this instance last knew that it was current; absent while it does.
             * @example 7
             */
            staleSeconds?: number;
        };
        Instance: {
            /**
             * @description One start of one process.
             * @example registry-0-3f9a1c2e
             */
            id: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC.
             * @example 2026-01-31T09:30:00.000Z
             */
            startedAt: string;
            /**
             * @description Sequence number of an event in the log. It only grows; a rollback gets a new, higher one.
             * @example 7
             */
            appliedRevision: number;
            /** @description How many revisions it is behind the instance that answers. */
            behind: number;
            /**
             * Format: date-time
             * @description When it last renewed its lease, by the store's clock: once a second while it is well.
             */
            lastSeenAt: string;
            /**
             * @description The version that it serves of its pack whatever the log says (`PIN_VERSION`).
             * @example coach@1.0.0
             */
            pinnedVersion?: string;
        };
        InstanceList: {
            instances: components["schemas"]["Instance"][];
        };
        Liveness: {
            /**
             * @description The process answers.
             * @example live
             * @enum {string}
             */
            status: "live";
        };
        Readiness: {
            /**
             * @description There is a whole snapshot to answer from.
             * @example ready
             * @enum {string}
             */
            status: "ready";
            /**
             * @description Sequence number of an event in the log. It only grows; a rollback gets a new, higher one.
             * @example 7
             */
            revision: number;
            /** @description Which history the revision is of: one more after each accepted restore. */
            epoch: number;
            /** @description Whether the snapshot may be older than the log. */
            stale: boolean;
            /** @description Seconds since this instance last knew that it is current. */
            staleSeconds?: number;
            /**
             * @description The version served whatever the log says (`PIN_VERSION`).
             * @example coach@1.0.0
             */
            pinned?: string;
            /** @description What is not as it should be although the instance serves; empty where all is. */
            conditions: {
                /**
                 * @description Stable; made for programs.
                 * @example stale
                 * @enum {string}
                 */
                name: "stale" | "pinned" | "log-diverged" | "clock-behind-log" | "snapshot-differs";
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
    };
    responses: {
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
        /** @description The channel has not moved since; there is no body. */
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
        /** @description `policy-violated`: The version is under the floor. `unknown-version`: The version is not registered. `idempotency-mismatch`: The Idempotency-Key was used for another request. */
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
                /** @description What is left of the share, and when it is whole again. */
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
        /** @description Name of a channel: lower-case letters, digits and hyphens, at most 63. */
        ChannelQuery: string;
        /** @description `nextCursor` of the page before; leave it out to start from the beginning. */
        CursorQuery: string;
        /** @description At most 255 characters, quoted or bare. The same request again with the same key has one effect and the same answer. */
        IdempotencyKeyHeader: string;
        /** @description The ETag of `getActivePack`, or `"<revision>"` of the channel: move only if it still is there. */
        IfMatchHeader: string;
        /** @description ETags that the caller has; a match gives 304. */
        IfNoneMatchHeader: string;
        /** @description The most entries to give. */
        LimitQuery: number;
        /**
         * @description Name of a pack: lower-case letters, digits and hyphens, at most 63.
         * @example coach
         */
        PackPath: string;
        /** @description Name of a pack: lower-case letters, digits and hyphens, at most 63. */
        PackQuery: string;
        /** @description `wait=<seconds>` (RFC 7240), 30 at most: answer when every live instance has applied the move; 202 where some have not in time. */
        PreferHeader: string;
        /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
        RegistryEpochHeader: number;
        /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
        RegistryMinRevisionHeader: number;
        /**
         * @description SemVer 2.0.0 without build metadata.
         * @example 1.1.0
         */
        VersionPath: string;
    };
    requestBodies: never;
    headers: {
        /** @description Strong; changes when the channel moves. */
        ETag: string;
        /** @description `true` where this is the answer to an earlier request with the same Idempotency-Key. */
        "Idempotency-Replayed": string;
        /** @description Where what was made can be read. */
        Location: string;
        /** @description `wait` where the answer waited for the other instances. */
        "Preference-Applied": string;
        /** @description Which history the revision is of; sent once a restore of the database was accepted, 1 before. */
        "Registry-Epoch": number;
        /** @description The version that this instance serves of its pack whatever the log says (`PIN_VERSION`); sent only where it does. */
        "Registry-Pinned": string;
        /** @description Log revision of the snapshot that the answer was computed from. */
        "Registry-Revision": number;
        /** @description Seconds since this instance last knew that it is current; sent only where it does not know. */
        "Registry-Stale": number;
        /** @description Seconds to wait before the next try. */
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
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
                /** @description The most entries to give. */
                limit?: components["parameters"]["LimitQuery"];
                /** @description `nextCursor` of the page before; leave it out to start from the beginning. */
                cursor?: components["parameters"]["CursorQuery"];
                /** @description Only versions of this status. */
                status?: "registered" | "revoked";
            };
            header?: {
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
                /** @description At most 255 characters, quoted or bare. The same request again with the same key has one effect and the same answer. */
                "idempotency-key"?: components["parameters"]["IdempotencyKeyHeader"];
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
            /** @description The same is registered already; nothing was changed. */
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
            /** @description `policy-violated`: The version is under the floor. `idempotency-mismatch`: The Idempotency-Key was used for another request. */
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
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
                /** @description Compare with this version; with the one active in the default channel where not given. */
                against?: string;
            };
            header?: {
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
                /** @description At most 255 characters, quoted or bare. The same request again with the same key has one effect and the same answer. */
                "idempotency-key"?: components["parameters"]["IdempotencyKeyHeader"];
                /** @description `wait=<seconds>` (RFC 7240), 30 at most: answer when every live instance has applied the move; 202 where some have not in time. */
                prefer?: components["parameters"]["PreferHeader"];
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
            /** @description Revoked; or with `dryRun`, what would happen. */
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
            /** @description Revoked; with `Prefer: wait`, some instances had not applied it in time. */
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
            };
            header?: {
                /** @description ETags that the caller has; a match gives 304. */
                "if-none-match"?: components["parameters"]["IfNoneMatchHeader"];
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ActivePack"];
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
    listActivations: {
        parameters: {
            query?: {
                /** @description Name of a channel: lower-case letters, digits and hyphens, at most 63. */
                channel?: components["parameters"]["ChannelQuery"];
                /** @description The move in force at that time, and those before it. */
                at?: string;
                /** @description The most entries to give. */
                limit?: components["parameters"]["LimitQuery"];
                /** @description `nextCursor` of the page before; leave it out to start from the beginning. */
                cursor?: components["parameters"]["CursorQuery"];
            };
            header?: {
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
                /** @description At most 255 characters, quoted or bare. The same request again with the same key has one effect and the same answer. */
                "idempotency-key"?: components["parameters"]["IdempotencyKeyHeader"];
                /** @description `wait=<seconds>` (RFC 7240), 30 at most: answer when every live instance has applied the move; 202 where some have not in time. */
                prefer?: components["parameters"]["PreferHeader"];
                /** @description The ETag of `getActivePack`, or `"<revision>"` of the channel: move only if it still is there. */
                "if-match"?: components["parameters"]["IfMatchHeader"];
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
            /** @description The version was active already; nothing was changed. */
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
                    "application/json": components["schemas"]["ActivationOrPreview"];
                };
            };
            /** @description Activated. */
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
                    "application/json": components["schemas"]["Activation"];
                };
            };
            /** @description Activated; with `Prefer: wait`, some instances had not applied it in time. */
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
                    "application/json": components["schemas"]["Activation"];
                };
            };
            400: components["responses"]["ValidationFailed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["PackNotFoundOrChannelNotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `version-revoked`: The version is revoked. */
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
                /** @description At most 255 characters, quoted or bare. The same request again with the same key has one effect and the same answer. */
                "idempotency-key"?: components["parameters"]["IdempotencyKeyHeader"];
                /** @description `wait=<seconds>` (RFC 7240), 30 at most: answer when every live instance has applied the move; 202 where some have not in time. */
                prefer?: components["parameters"]["PreferHeader"];
                /** @description The ETag of `getActivePack`, or `"<revision>"` of the channel: move only if it still is there. */
                "if-match"?: components["parameters"]["IfMatchHeader"];
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
            /** @description `toVersion` was active already; nothing was changed. */
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
                    "application/json": components["schemas"]["ActivationOrPreview"];
                };
            };
            /** @description Rolled back. */
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
                    "application/json": components["schemas"]["Activation"];
                };
            };
            /** @description Rolled back; with `Prefer: wait`, some instances had not applied it in time. */
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
                    "application/json": components["schemas"]["Activation"];
                };
            };
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
            };
            header?: {
                /** @description ETags that the caller has; a match gives 304. */
                "if-none-match"?: components["parameters"]["IfNoneMatchHeader"];
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SystemPrompt"];
                };
            };
            304: components["responses"]["NotModified"];
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
            };
            header?: {
                /** @description ETags that the caller has; a match gives 304. */
                "if-none-match"?: components["parameters"]["IfNoneMatchHeader"];
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StyleList"];
                };
            };
            304: components["responses"]["NotModified"];
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
            };
            header?: {
                /** @description ETags that the caller has; a match gives 304. */
                "if-none-match"?: components["parameters"]["IfNoneMatchHeader"];
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StylePrompt"];
                };
            };
            304: components["responses"]["NotModified"];
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
    startCoachSession: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Opaque; keep it to read the session again.
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
                /** @description The most entries to give. */
                limit?: components["parameters"]["LimitQuery"];
                /** @description Name of a pack: lower-case letters, digits and hyphens, at most 63. */
                pack?: components["parameters"]["PackQuery"];
                /** @description Name of a channel: lower-case letters, digits and hyphens, at most 63. */
                channel?: components["parameters"]["ChannelQuery"];
                /** @description Key id of who acted, 1 to 32 letters, digits and hyphens; `system` for the registry itself. */
                actor?: string;
                /** @description Only events of this type. */
                type?: "registry-created" | "version-published" | "version-activated" | "version-rolled-back" | "version-revoked" | "policy-changed" | "key-created" | "key-revoked" | "registry-restored";
                /** @description The event with this id. */
                id?: string;
                /** @description Not earlier than this. */
                from?: string;
                /** @description Not later than this. */
                to?: string;
            };
            header?: {
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was found. */
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
                /** @description `id` of the last message that the caller has: what comes after it is sent, without a gap or a repeat. A revision, e.g. 42; after a restore with its epoch, e.g. 2:17. */
                "last-event-id"?: string;
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The stream; it has no end of its own. The schema is that of the `data` of each message. */
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
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
                /** @description At most 255 characters, quoted or bare. The same request again with the same key has one effect and the same answer. */
                "idempotency-key"?: components["parameters"]["IdempotencyKeyHeader"];
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
            /** @description Made. */
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
                /** @description At most 255 characters, quoted or bare. The same request again with the same key has one effect and the same answer. */
                "idempotency-key"?: components["parameters"]["IdempotencyKeyHeader"];
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
                "registry-epoch"?: components["parameters"]["RegistryEpochHeader"];
            };
            path: {
                /**
                 * @description Names a key; not secret.
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
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
                /** @description The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal. */
                "registry-min-revision"?: components["parameters"]["RegistryMinRevisionHeader"];
                /** @description The `Registry-Epoch` that came with it; the one in force where not given. */
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
