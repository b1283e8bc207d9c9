/**
 * What is planted to see that the contract kit finds it: deviations of each operation, and the sentence of the document that the first one breaks.
 *
 * Example: `plantsOf(operator)` has under `getPolicy` a stale digest, and a number that is told as a text.
 */
import {
  actingDryRun,
  asked,
  cached,
  edited,
  instead,
  replaced,
  sent,
  statusIs,
  withoutHeader,
  type Body,
  type Plant,
} from './deviating-proxy.ts';
import {
  anyChannel,
  bothMove,
  escapedHash,
  firstOf,
  forwardAgain,
  guardFirst,
  keysOfAll,
  list,
  NOBODY,
  othersTaken,
  shorter,
  tagOfDigest,
  tagOfLog,
  unheeded,
  url,
} from './deviations.ts';
import { ARM_PLANTS, AUDIENCE_PLANTS, MORE_PLANTS, ROLLOUT_BECAUSE, ROLLOUT_PLANTS } from './planted-rollouts.ts';

/** A text of the same form that is another. */
const otherHex = (text: unknown) => String(text).replace(/.$/u, (last) => (last === '0' ? '1' : '0'));

const LONG_AGO = '2020-01-01T00:00:00.000Z';

const beyond =
  (scope: string) =>
  ({ requiredScopes }: Body) =>
    !(requiredScopes as string[]).includes(scope);
const withoutCursor = url(/cursor=made-up/u, '');

type Plants = Readonly<Record<string, Plant>>;

/** The reads that a rollout decides. */
const ARM_READS = ['getActivePack', 'getSystemPrompt', 'listStyles', 'getStylePrompt'];

/** A server that hangs. */
export const SILENT = 'no answer at all';

/**
 * What is planted, by operation: the first is what the short form plants.
 * @param operator the `Authorization` of a caller who may do everything
 */
export function plantsOf(operator: string): Readonly<Record<string, Plants>> {
  const plants: Readonly<Record<string, Plants>> = { ...basicPlantsOf(operator), ...ROLLOUT_PLANTS };
  const ofArms = (operation: string) => ({
    ...(ARM_READS.includes(operation) && ARM_PLANTS),
    ...(operation === 'getActivePack' && AUDIENCE_PLANTS),
  });
  return Object.fromEntries(
    Object.entries(plants).map(([operation, some]) => [
      operation,
      { ...some, ...MORE_PLANTS[operation], ...ofArms(operation) },
    ]),
  );
}

function basicPlantsOf(operator: string): Readonly<Record<string, Plants>> {
  /** If a caller is refused, and `lacking` agrees, the request is sent again as the operator. */
  const asOperator = (status: number, lacking: (problem: Body) => boolean = () => true): Plant =>
    instead(status, (request, { body }) =>
      lacking(JSON.parse(body) as Body)
        ? { ...request, headers: { ...request.headers, authorization: operator } }
        : undefined,
    );

  return {
    listPacks: {
      'an old list': cached(),
      'a required member is missing': edited((body) => list(body, 'packs').forEach((pack) => delete pack['latest'])),
      'another media type': replaced((answer) => ({
        ...answer,
        headers: { ...answer.headers, 'content-type': 'text/html' },
      })),
      'no Registry-Revision': withoutHeader('registry-revision'),
      'Registry-Min-Revision that is ignored': unheeded('registry-min-revision'),
      'packs that are missing': edited(
        (body) => (body['packs'] = list(body, 'packs').filter(({ pack }) => String(pack).startsWith('checked-'))),
      ),
    },
    getPack: {
      'a time of a move that is always the same': edited((body) =>
        list(body, 'channels').forEach((channel) => (channel['activatedAt'] = LONG_AGO)),
      ),
      'a count that is wrong': edited((body) => (body['versionCount'] = Number(body['versionCount']) + 1)),
      'a member that nobody declared': edited((body) => (body['surprise'] = 1)),
      'a refusal without what there is': edited((body) => delete body['knownPacks'], statusIs(404)),
      'a prerelease is the latest': edited((body) => (body['latest'] = list(body, 'versions')[0]?.['version'] ?? null)),
      'a channel that is not there': edited(
        (body) =>
          (body['channels'] = list(body, 'channels').flatMap((channel) => [channel, { ...channel, channel: 'ghost' }])),
      ),
      'one version too few': edited((body) => (body['versions'] = list(body, 'versions').slice(0, 19))),
      'what it was before': cached(),
    },
    getPolicy: {
      'a stale digest': edited((body) => body['digest'] !== null && (body['digest'] = otherHex(body['digest']))),
      'a number as a text': edited((body) => (body['version'] = String(body['version']))),
    },
    listVersions: {
      'the order of texts, not of versions': edited((body) =>
        list(body, 'versions').sort((a, b) => (String(a['version']) < String(b['version']) ? 1 : -1)),
      ),
      'a page that begins with the end of the one before': url(/cursor=[^&]+/u, ''),
      'a filter that is ignored': url(/&?status=revoked/u, ''),
      'a page that skips one': shorter('versions'),
      'a limit that is ignored': url(/limit=2&?/u, ''),
      'a cursor that nobody gave': withoutCursor,
      'where a version is active is not told': edited((body) =>
        list(body, 'versions').forEach((version) => (version['activeIn'] = [])),
      ),
      'why one was revoked is not told': edited((body) =>
        list(body, 'versions').forEach((version) => delete version['revokedReason']),
      ),
    },
    publishVersion: {
      'a digest of something else': edited((body) => (body['digest'] = otherHex(body['digest']))),
      '201 though nothing was made': replaced((answer) => ({ ...answer, status: 201 }), statusIs(200)),
      'no Location': withoutHeader('location', statusIs(201)),
      'other content under the same version is taken for the same': othersTaken(),
      'other compatibility under the same version is taken': othersTaken(
        (sent, kept) => JSON.stringify(sent['compatibility']) !== JSON.stringify(kept['compatibility']),
      ),
      'half of a surrogate pair is mended': sent(
        (body) => typeof body['system'] === 'string' && (body['system'] = body['system'].toWellFormed()),
      ),
      'texts are normalised': sent(
        (body) => typeof body['system'] === 'string' && (body['system'] = body['system'].normalize('NFC')),
      ),
      'an unknown member of a style is dropped': sent(
        (body) => Array.isArray(body['styles']) && list(body, 'styles').forEach((style) => delete style['surprise']),
      ),
      'somebody else published it': edited((body) => (body['publishedBy'] = NOBODY)),
      "somebody else's Idempotency-Key": keysOfAll(),
      'an Idempotency-Key that is ignored': unheeded('idempotency-key'),
    },
    getVersion: {
      'a text that was changed': edited((body) => (body['system'] = `${String(body['system'])} `)),
      'a revoked version is served to everybody': asOperator(410),
      'a version that is active everywhere': edited((body) => (body['activeIn'] = ['production', 'staging'])),
      'another author': edited((body) => (body['author'] = 'Nobody')),
    },
    diffVersions: {
      'a hunk with fewer lines than it says': edited((body) =>
        list(body, 'assets').forEach((asset) =>
          (asset['hunks'] as { lines: string[] }[]).forEach(({ lines }) => lines.pop()),
        ),
      ),
      'a hunk that begins elsewhere': edited((body) =>
        list(body, 'assets').forEach((asset) =>
          (asset['hunks'] as Record<string, number>[]).forEach((hunk) => (hunk['newStart']! += 1)),
        ),
      ),
      'what was added is not shown': edited((body) =>
        list(body, 'assets').forEach((asset) => asset['change'] === 'added' && (asset['hunks'] = [])),
      ),
      'a revoked version is shown to everybody': asOperator(410),
      'from and to the wrong way round': edited((body) => ([body['from'], body['to']] = [body['to'], body['from']])),
    },
    revokeVersion: {
      'a dry run that acts': actingDryRun,
      'a replacement that is ignored': sent((body) => delete body['replacement']),
      'moves that are not told': edited((body) => (body['moves'] = [])),
      'a second move that is not told': edited((body) => list(body, 'moves').splice(1)),
      'Prefer that is ignored': unheeded('prefer'),
      "somebody else's Idempotency-Key": keysOfAll(),
    },
    getActivePack: {
      'a stale digest': edited((body) => (body['digest'] = otherHex(body['digest']))),
      'a mixed pack': edited((body) => (list(body, 'styles')[0]!['text'] = 'A text of another version.')),
      'a time that is always the same': edited((body) => (body['activatedAt'] = LONG_AGO)),
      'somebody else moved it': edited((body) => (body['activatedBy'] = NOBODY)),
      'no ETag': withoutHeader('etag'),
      '200 to whom nothing is new': unheeded('if-none-match'),
      'an ETag that is the same again after a rollback': tagOfDigest,
      'an ETag of the whole log': tagOfLog,
      'If-None-Match that is not read as a list': asked((request) =>
        String(request.headers['if-none-match']).includes(',')
          ? { ...request, headers: { ...request.headers, 'if-none-match': '"one"' } }
          : request,
      ),
      '304 without its ETag': withoutHeader('etag', statusIs(304)),
      'channels that are not told apart': anyChannel,
      'another channel': edited((body) => (body['channel'] = 'elsewhere')),
      'Registry-Min-Revision that is ignored': unheeded('registry-min-revision'),
      'what it was before': cached(),
      'an answer that may be shared': replaced((answer) => ({
        ...answer,
        headers: { ...answer.headers, 'cache-control': 'public, max-age=60' },
      })),
      'a revision that goes down': edited((body, { headers }) => {
        body['revision'] = Number(body['revision']) - 1;
        (headers as Body)['registry-revision'] = '1';
      }),
    },
    listActivations: {
      'the oldest first': edited((body) => list(body, 'activations').reverse()),
      'the last move is missing': edited((body) => list(body, 'activations').shift()),
      'a time that is ignored': url(/&?at=[^&]+/u, ''),
      'a page that skips one': shorter('activations'),
      'a limit that is ignored': url(/limit=3&?/u, ''),
      'channels that are not told apart': anyChannel,
      'revocations are left out': edited(
        (body) => (body['activations'] = list(body, 'activations').filter(({ kind }) => kind !== 'revocation')),
      ),
    },
    activateVersion: {
      'a dry run that acts': actingDryRun,
      'If-Match that is ignored': unheeded('if-match'),
      'a move that is told and not made': sent(
        (body) => body['reason'] !== '' && body['dryRun'] === undefined && (body['dryRun'] = true),
      ),
      'no previous version': edited((body) => (body['previousVersion'] = null), statusIs(201)),
      'Prefer that is not applied': withoutHeader('preference-applied'),
      'the previous version is the new one': edited(
        (body) => (body['previousVersion'] = body['version']),
        statusIs(201),
      ),
      'the other channel moves with it': bothMove,
      'somebody else moved it': edited((body) => (body['actor'] = NOBODY), statusIs(201)),
      'a preview without differences': edited((body) => 'diff' in body && (body['diff'] = [])),
      'If-Match before Idempotency-Key': guardFirst,
      "somebody else's Idempotency-Key": keysOfAll(),
      'the revision of the log, where nothing moved': edited(
        (body, { headers }) => body['changed'] === false && (body['revision'] = Number(headers['registry-revision'])),
      ),
    },
    rollbackPack: {
      'a rollback that goes forward again': forwardAgain(),
      'a rollback that goes back to 1.0.0 at once': sent((body) => (body['toVersion'] ??= '1.0.0')),
      'fromVersion that is ignored': sent((body) => delete body['fromVersion']),
      'a dry run that acts': actingDryRun,
      'fromVersion is ignored with toVersion': sent(
        (body) => body['toVersion'] !== undefined && delete body['fromVersion'],
      ),
      'the other channel moves with it': bothMove,
      'a preview without differences': edited((body) => 'diff' in body && (body['diff'] = [])),
      'If-Match before Idempotency-Key': guardFirst,
      "somebody else's Idempotency-Key": keysOfAll(),
      'an activation is told': edited((body) => 'kind' in body && (body['kind'] = 'activation')),
    },
    getSystemPrompt: {
      'another text': edited((body) => (body['text'] = 'Another text.')),
      'an ETag that is the same again after a rollback': tagOfDigest,
      'channels that are not told apart': anyChannel,
      'what it was before': cached(),
      'a weak ETag': replaced((answer) => ({
        ...answer,
        headers: { ...answer.headers, etag: `W/${String(answer.headers['etag'])}` },
      })),
    },
    listStyles: {
      'another order': edited((body) => list(body, 'styles').reverse()),
      'an ETag that is the same again after a rollback': tagOfDigest,
      'channels that are not told apart': anyChannel,
      'other titles': edited((body) => list(body, 'styles').forEach((style) => (style['title'] = style['id']))),
      'no default style': edited((body) => delete body['defaultStyle']),
    },
    getStylePrompt: {
      'a refusal without the styles there are': edited((body) => delete body['supportedStyles'], statusIs(404)),
      'another version': edited((body) => (body['version'] = '1.2.0')),
      'an ETag that is the same again after a rollback': tagOfDigest,
      'the default style, where the version lacks the one that was asked for': instead(404, (request) => ({
        ...request,
        url: request.url.replace(/styles\/[^?]+/u, 'styles/supportive'),
      })),
      'channels that are not told apart': anyChannel,
    },
    startCoachSession: {
      'a digest of something else': edited(
        (body) => ((body['promptPack'] as Body)['digest'] = `sha256:${'0'.repeat(64)}`),
      ),
      'an unknown member is dropped': sent((body) => delete body['surprise']),
      'no Location': withoutHeader('location', statusIs(201)),
      'one id for all': firstOf('sessionId'),
      'a channel that is ignored': sent(
        (body) => ['production', 'staging'].includes(String(body['channel'])) && delete body['channel'],
      ),
    },
    getCoachSession: {
      'one session for all': cached(() => ''),
      'superseded while the channel has not moved': edited((body) => (body['superseded'] = true)),
      'an end that moves on': edited(
        (body) => (body['expiresAt'] = new Date(Date.parse(String(body['expiresAt'])) + 1000).toISOString()),
      ),
      'another pin': edited((body) => ((body['promptPack'] as Body)['version'] = '0.0.1')),
      'a forged id is taken for a missing version': edited(
        (body) => (body['code'] = 'version-not-found'),
        statusIs(404),
      ),
    },
    listEvents: {
      'a reason that was changed': edited((body) =>
        list(body, 'events').forEach((event) => (event['reason'] = 'Another reason')),
      ),
      'an event that is missing': edited((body) => list(body, 'events').splice(1, 1)),
      'a filter that is ignored': url(/&?actor=[^&]+/u, ''),
      'channels that are not told apart': anyChannel,
      'a hash of JSON that escapes': edited((body) =>
        list(body, 'events').forEach(({ hash: _, ...event }, index, all) => (all[index]!['hash'] = escapedHash(event))),
      ),
      'a next page that begins too early': edited(
        (body) => typeof body['nextAfter'] === 'number' && (body['nextAfter'] -= 1),
      ),
      'a filter by another actor': url(/actor=[^&]+/u, 'actor=system'),
    },
    getAuditHead: {
      'another hash': edited((body) => (body['hash'] = otherHex(body['hash']))),
      'no key is asked for': asked((request) => ({
        ...request,
        headers: { ...request.headers, authorization: operator },
      })),
    },
    verifyAudit: {
      'a log that is broken': edited((body) => (body['valid'] = false)),
      'what was found before': cached(),
      'an event that was not looked at': edited((body) => (body['events'] = Number(body['events']) - 1)),
    },
    streamEvents: {
      'a message is left out': { message: (message, count) => (count === 3 ? undefined : message) },
      'a message twice': { message: (message, count) => (count === 3 ? `${message}\n\n${message}` : message) },
      'a member of the wrong type': { message: (message) => message.replace(/"revision":(\d+)/u, '"revision":"$1"') },
      'a text that may not be told': { message: (message) => message.replace('{', '{"reason":"Secret",') },
      'it resumes one too late': asked(({ headers, ...request }) => ({
        ...request,
        headers: {
          ...headers,
          ...(/^\d{1,9}$/u.test(String(headers['last-event-id'])) && {
            'last-event-id': String(Number(headers['last-event-id']) + 1),
          }),
        },
      })),
      'Last-Event-ID is ignored with a pack': asked(({ headers: { 'last-event-id': id, ...headers }, ...request }) => ({
        ...request,
        headers: { ...headers, ...(id !== undefined && !request.url.includes('pack=') && { 'last-event-id': id }) },
      })),
      'channels that are not told apart': anyChannel,
      'another time': { message: (message) => message.replace(/"at":"[^"]+"/u, `"at":"${LONG_AGO}"`) },
      'Last-Event-ID that is ignored': unheeded('last-event-id'),
    },
    listKeys: {
      'a key is missing': edited((body) => list(body, 'keys').pop()),
      'somebody else made them': edited((body) => list(body, 'keys').forEach((key) => (key['createdBy'] = NOBODY))),
      'the first key made them all': edited((body) =>
        list(body, 'keys').forEach(
          (key) =>
            (key['createdBy'] = { keyId: list(body, 'keys')[0]!['keyId'], label: list(body, 'keys')[0]!['label'] }),
        ),
      ),
      'revoked keys are left out': edited(
        (body) => (body['keys'] = list(body, 'keys').filter(({ revokedAt }) => revokedAt === undefined)),
      ),
      'an end that is not told': edited((body) => list(body, 'keys').forEach((key) => delete key['expiresAt'])),
      'a secret is told': edited((body) => list(body, 'keys').forEach((key) => (key['secret'] = 'prk_x_y'))),
    },
    createKey: {
      'a secret that is none': edited(
        (body) => 'secret' in body && (body['secret'] = `prk_${String(body['keyId'])}_${'x'.repeat(43)}`),
      ),
      'more scopes than were asked for': sent(
        (body) =>
          Array.isArray(body['scopes']) &&
          body['scopes'].length > 0 &&
          body['scopes'].every((scope) => scope === 'prompts:read') &&
          (body['scopes'] = ['*']),
      ),
      'more is granted than its maker holds': asOperator(403, beyond('keys:admin')),
      "somebody else's Idempotency-Key": keysOfAll(),
      'the secret is told again': edited(
        (body) => (body['secret'] ??= `prk_${String(body['keyId'])}_${'x'.repeat(43)}`),
      ),
    },
    revokeKey: {
      'it is told and not done': {
        answer: async (request, forward) => {
          const answer = await forward({ ...request, url: request.url.replace(/keys\/[^/]+/u, 'keys/nobody000000') });
          const keyId = /keys\/([^/]+)/u.exec(request.url)?.[1];
          return answer.status === 404
            ? {
                ...answer,
                status: 200,
                headers: { ...answer.headers, 'content-type': 'application/json' },
                body: JSON.stringify({
                  keyId,
                  label: 'x',
                  scopes: [],
                  createdAt: '2026-01-01T00:00:00Z',
                  createdBy: { keyId: 'x', label: 'x' },
                  revokedAt: '2026-01-01T00:00:00Z',
                }),
              }
            : answer;
        },
      },
      'one that can do more than the caller': asOperator(403, beyond('keys:admin')),
      'no reason is needed': sent(
        (body) => typeof body['reason'] === 'string' && body['reason'].trim() === '' && (body['reason'] = 'None'),
      ),
      'when is not told': edited((body) => delete body['revokedAt']),
    },
    listInstances: {
      'nobody has applied anything': edited((body) =>
        list(body, 'instances').forEach((instance) => (instance['appliedRevision'] = 0)),
      ),
      'a count that cannot be': edited((body) =>
        list(body, 'instances').push({ ...list(body, 'instances')[0], id: 'another', behind: -1 }),
      ),
      'anybody may ask': asOperator(403),
      'an old list': cached(),
    },
    live: {
      'another status': replaced((answer) => ({ ...answer, status: 204, body: '' })),
      'an unknown parameter is dropped': url(/\?.*$/u, ''),
      [SILENT]: { answer: () => new Promise(() => undefined) },
    },
    ready: {
      'staleness is not told': edited((body) => (body['stale'] = true)),
      'no conditions': edited((body) => delete body['conditions']),
      'an old answer': cached(),
    },
    getMetrics: {
      'a line that is none': replaced((answer) => ({ ...answer, body: `${answer.body}what is this\n` })),
      JSON: replaced((answer) => ({
        ...answer,
        headers: { ...answer.headers, 'content-type': 'application/json' },
        body: '{}',
      })),
    },
    getProblem: {
      'another code': edited((body) => (body['code'] = 'internal')),
      'another status than the one that is answered': edited(
        (body) => body['code'] === 'rate-limited' && (body['status'] = 503),
      ),
      'a problem that says another status': edited((body) => (body['status'] = 400), statusIs(404)),
    },
  };
}

/** What must fail, by operation, where the first of its deviations is planted: it is found for what it is. */
export const BECAUSE: Readonly<Record<string, RegExp>> = {
  listPacks: /as getPack shows it: so it is after a move/u,
  getPack: /the channel is as in getActivePack/u,
  getPolicy: /the digest of the policy of/u,
  listVersions: /the highest SemVer comes first: the order is/u,
  publishVersion: /the digest is SHA-256 of RFC 8785/u,
  getVersion: /the content of 1\.0\.0 is what was published/u,
  diffVersions: /each hunk has as many lines as/u,
  revokeVersion: /with dryRun .*: the version is not revoked/u,
  getActivePack: /the digest is SHA-256 of RFC 8785/u,
  listActivations: /newest first: revisions decrease/u,
  activateVersion: /with dryRun .*: the channel did not move/u,
  rollbackPack: /never forward again: pack, version/u,
  getSystemPrompt: /the text is the system prompt of the active version/u,
  listStyles: /the styles of the active version, in the order of the pack/u,
  getStylePrompt: /lists its styles: supportedStyles/u,
  startCoachSession: /promptPack is what getActivePack shows/u,
  getCoachSession: /each session keeps its pin and its style: pin, prompts and times/u,
  listEvents: /hash is SHA-256 of RFC 8785/u,
  getAuditHead: /revision, hash and time are those of the last event/u,
  verifyAudit: /up to the head: valid is true/u,
  streamEvents: /one message per revision, without a gap or a repeat/u,
  listKeys: /the key that was just created/u,
  createKey: /can do what its scopes allow .*: listPacks: GET \S+ answered 401 instead of 200/u,
  revokeKey: /with the next request: listPacks: GET \S+ answered 200 instead of 401/u,
  listInstances: /has applied the Registry-Revision of this response/u,
  live: /status 204 is not declared/u,
  ready: /it has staleSeconds if it is stale/u,
  getMetrics: /every line is a sample or a comment/u,
  getProblem: /the page of \S+ has its code/u,
  openapi: /has the operations of the document of this suite/u,
  ...ROLLOUT_BECAUSE,
};

/** The same for the served document, which is not an operation: only with TEST_LENGTH=faults, because it is large. */
export const OF_THE_DOCUMENT: Readonly<Record<string, Plant>> = {
  'an operation is missing': edited((body) => delete (body['paths'] as Body)['/livez']),
  'it is not served': replaced((answer) => ({ ...answer, status: 404 })),
};
