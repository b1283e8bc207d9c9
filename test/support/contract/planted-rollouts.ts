/**
 * What is planted to see that the contract kit finds it: deviations in the operations of rollouts, trials and schedules, in reads for a
 * subject, and in what moves do to sessions.
 *
 * Example: `ROLLOUT_PLANTS.abortRollout` has an abort that promotes.
 */
import {
  actingDryRun,
  asked,
  cached,
  edited,
  instead,
  sent,
  statusIs,
  withoutHeader,
  type Body,
  type Plant,
  type ProxiedAnswer,
  type ProxiedRequest,
} from './deviating-proxy.ts';
import { keysOfAll, list, NOBODY, shorter, tagged, tagOfLog, unheeded, url } from './deviations.ts';

type Plants = Readonly<Record<string, Plant>>;

/** What is due by time does not come. */
export const NEVER = 'what is due does not come';

/** A deviation of another operation than the one whose checks must find it. */
const at = (operation: string, plant: Plant): Plant => ({ ...plant, at: operation });

/** An answer with another body. */
const withBody = (answer: ProxiedAnswer, body: Body): ProxiedAnswer => ({ ...answer, body: JSON.stringify(body) });

/** A request is answered as if it had been applied. @param read the path of a read with the state, made from its own @param of the answer */
function toldOnly(read: (path: string) => string, of: (state: Body, request: ProxiedRequest) => Body): Plant {
  return {
    answer: async (request, forward) => {
      const { reason } = bodyOf(request);
      if (reason === undefined || reason === '' || request.headers['if-match'] !== undefined) return forward(request);
      const { 'content-type': _, ...headers } = request.headers;
      const answer = await forward({ method: 'GET', url: read(request.url), headers, body: '' });
      return answer.status === 200 ? withBody(answer, of(JSON.parse(answer.body) as Body, request)) : forward(request);
    },
  };
}

/** After a success another request is sent, and not told. */
function followed(by: (request: ProxiedRequest, answer: Body) => Partial<ProxiedRequest> | undefined): Plant {
  return {
    answer: async (request, forward) => {
      const answer = await forward(request);
      const then = answer.status < 300 ? by(request, JSON.parse(answer.body) as Body) : undefined;
      const { 'idempotency-key': _, 'if-match': __, ...headers } = request.headers;
      if (then !== undefined) await forward({ ...request, headers, ...then });
      return answer;
    },
  };
}

function bodyOf({ body }: ProxiedRequest): Body {
  try {
    return JSON.parse(body) as Body;
  } catch {
    return {};
  }
}

/** The rule in `getChannel`. */
const rule = (edit: (rollout: Body) => unknown): Plant =>
  edited((body) => body['rollout'] !== undefined && edit(body['rollout'] as Body));
const tenth = (of: Body) => (of['share'] = Number(of['share']) / 10);
const withoutMember = (name: string, which = statusIs(200)): Plant => edited((body) => delete body[name], which);
const changedAnyway = edited((body) => 'changed' in body && (body['changed'] = true));
const withoutPolicy = sent((body) => delete body['sessions']);
const withoutSubject = url(/&?subject=[^&]+/u, '');

/** Every other request with a subject is answered as one without: two instances that do not agree. */
function byInstance(): Plant {
  let count = 0;
  return asked((request) =>
    request.url.includes('subject=') && (count += 1) % 2 === 0
      ? { ...request, url: request.url.replace(/&?subject=[^&]+/u, '') }
      : request,
  );
}

/** The subject that decides is another one: what a hash without the salt, or of other bytes, comes to. */
const anotherHash = asked((request) => ({
  ...request,
  url: request.url.replace(/subject=([^&]+)/u, (_, subject: string) => `subject=${subject}.`),
}));

/** Who gives no subject gets the body of the candidate, if somebody does. */
const leaking: Plant = {
  answer: async (request, forward) => {
    const answer = await forward(request);
    const isPlain = !request.url.includes('subject=') && request.headers['registry-subject'] === undefined;
    if (!isPlain || answer.status !== 200 || answer.headers['registry-assignment'] === undefined) return answer;
    const separator = request.url.includes('?') ? '&' : '?';
    for (let user = 0; user < 50; user += 1) {
      const other = await forward({ ...request, url: `${request.url}${separator}subject=user-${user}` });
      if (String(other.headers['registry-assignment']).endsWith('candidate')) return { ...answer, body: other.body };
    }
    return answer;
  },
};

/** A step is another rollout, with another salt. */
const redrawing: Plant = {
  answer: async (request, forward) => {
    const answer = await forward(request);
    const { version, share, channel } = (answer.status === 200 ? JSON.parse(answer.body) : {}) as Body;
    if (version === undefined) return answer;
    const start = { version, channel, steps: [{ share }], finish: 'wait', reason: 'Drawn again' };
    await forward({ ...request, url: request.url.replace(/advance$/u, 'abort') });
    await forward({ ...request, url: request.url.replace(/\/\d+\/advance$/u, ''), body: JSON.stringify(start) });
    return answer;
  },
};

/** What a read gets wrong for a subject. */
export const ARM_PLANTS: Plants = {
  'an arm by instance': byInstance(),
  'a hash without the salt': anotherHash,
  'a share that is off by a factor': at('getChannel', rule(tenth)),
  'another salt': at(
    'getChannel',
    rule((rollout) => (rollout['salt'] = `${String(rollout['salt'])}x`)),
  ),
  'the candidate leaks to a read without a subject': leaking,
  'the subject is ignored': withoutSubject,
  'Registry-Subject is ignored': unheeded('registry-subject'),
  'no Registry-Assignment on 304': withoutHeader('registry-assignment', statusIs(304)),
  'an ETag that changes with every step': tagOfLog,
  'the subject is cut to 200 UTF-16 units': asked((request) => ({
    ...request,
    url: request.url.replace(/subject=([^&]+)/u, (whole: string, subject: string) => {
      const text = decodeURIComponent(subject.replaceAll('+', ' '));
      return text.length > 200 ? `subject=${encodeURIComponent(text.slice(0, 200))}` : whole;
    }),
  })),
};

/** What `getActivePack` gets wrong in addition: its checks of audiences and of steps. */
export const AUDIENCE_PLANTS: Plants = {
  'attributes are ignored': url(/&attribute=[^&]+/gu, ''),
  'only the first attribute is read': url(/(attribute=[^&]+)(?:&attribute=[^&]+)+/u, '$1'),
  'attributes in lower case': asked((request) => ({
    ...request,
    url: request.url.replaceAll(/attribute=country%3A[^&]*/gu, (text) => text.toLowerCase().replace('%3a', '%3A')),
  })),
  'a step that draws new subjects': at('advanceRollout', redrawing),
};

/** By operation; the first is the one that must be found for what it is. */
export const ROLLOUT_PLANTS: Readonly<Record<string, Plants>> = {
  getChannel: {
    'a share that is off by a factor': rule(tenth),
    'what it was before': cached(),
    'the arms are swapped': edited((body) => {
      const rollout = body['rollout'] as Body | undefined;
      if (rollout !== undefined) [body['stable'], rollout['candidate']] = [rollout['candidate'], body['stable']];
    }),
    'no audience': rule((rollout) => delete rollout['audience']),
    'the trial is not told': withoutMember('trial'),
    'an ETag of the pointer alone': tagged(({ stable }) => (stable as Body)['revision']),
  },
  confirmActivation: {
    'it is told and not done': toldOnly(
      (path) => path.replace(/\/confirm$/u, ''),
      ({ pack, channel, stable, revision }) => ({
        pack,
        channel,
        version: (stable as Body)['version'],
        revision: Number(revision) + 1,
      }),
    ),
    'If-Match that is ignored': unheeded('if-match'),
    "somebody else's Idempotency-Key": keysOfAll(),
  },
  startRollout: {
    'a dry run that acts': actingDryRun,
    'shares that are a tenth': sent((body) => Array.isArray(body['steps']) && list(body, 'steps').forEach(tenth)),
    'an audience that is dropped': sent((body) => delete body['audience']),
    'falling shares are put in order': sent(
      (body) =>
        Array.isArray(body['steps']) && list(body, 'steps').sort((a, b) => Number(a['share']) - Number(b['share'])),
    ),
    'sameSubjectsAs that is ignored': sent((body) => delete body['sameSubjectsAs']),
    'If-Match that is ignored': unheeded('if-match'),
    'somebody else started it': edited((body) => 'startedBy' in body && (body['startedBy'] = NOBODY)),
    'a second one is told as a repeat of the first': instead(409, (request, { body }) =>
      (JSON.parse(body) as Body)['code'] === 'rollout-running'
        ? {
            ...request,
            method: 'GET',
            url: `${request.url}/${String((JSON.parse(body) as Body)['rollout'])}`,
            headers: { authorization: request.headers.authorization },
            body: '',
          }
        : undefined,
    ),
    'a preview that counts no testers': edited((body) => 'testers' in body && (body['testers'] = 0)),
    'no Location': withoutHeader('location', statusIs(201)),
    "somebody else's Idempotency-Key": keysOfAll(),
  },
  listRollouts: {
    'the oldest first': edited((body) => list(body, 'rollouts').reverse()),
    'those that have ended are left out': edited(
      (body) => (body['rollouts'] = list(body, 'rollouts').filter(({ state }) => state !== 'promoted')),
    ),
    'a state that is ignored': url(/&?state=[^&]+/u, ''),
    'a page that skips one': shorter('rollouts'),
    'a limit that is ignored': url(/limit=2&?/u, ''),
  },
  getRollout: {
    'an ETag that stays': tagged(({ id }) => id),
    'why it ended is not told': withoutMember('endReason'),
    [NEVER]: at(
      'startRollout',
      sent(
        (body) =>
          Array.isArray(body['steps']) &&
          list(body, 'steps').forEach((step) => step['hold'] === '1s' && (step['hold'] = '1h')),
      ),
    ),
    'what it was before': cached(),
  },
  advanceRollout: {
    'it goes to the end of the plan at once': sent((body) => body['dryRun'] === undefined && (body['share'] ??= 100)),
    'a share that is ignored': sent((body) => delete body['share']),
    'it always changes something': changedAnyway,
    'If-Match that is ignored': unheeded('if-match'),
    'a dry run that acts': actingDryRun,
    'four decimals are rounded': sent((body) => body['share'] === 0.0001 && (body['share'] = 0)),
  },
  pauseRollout: {
    'it goes on at once': followed((request) => ({ url: request.url.replace(/pause$/u, 'resume') })),
    'it takes the candidate back': edited((body) => 'share' in body && (body['share'] = 0)),
    'it always changes something': changedAnyway,
    'If-Match that is ignored': unheeded('if-match'),
    'a dry run that acts': actingDryRun,
  },
  resumeRollout: {
    'it is told and not done': toldOnly(
      (path) => path.replace(/\/resume$/u, ''),
      (rollout) => ({ ...rollout, state: 'running', changed: true }),
    ),
    'no end of the hold': withoutMember('nextAt'),
    'it takes the next step': followed((request) => ({ url: request.url.replace(/resume$/u, 'advance') })),
    'a dry run that acts': actingDryRun,
  },
  promoteRollout: {
    'it goes back at once': followed((request) => ({
      url: request.url.replace(/rollouts\/\d+\/promote$/u, 'rollback'),
    })),
    'it is an abort': url(/promote$/u, 'abort'),
    'If-Match that is ignored': unheeded('if-match'),
    'a dry run that acts': actingDryRun,
  },
  abortRollout: {
    'it is a promotion': url(/abort$/u, 'promote'),
    'it goes below the stable version': followed((request) => ({
      url: request.url.replace(/rollouts\/\d+\/abort$/u, 'rollback'),
    })),
    'a second one is refused': edited((body) => body['changed'] === false && (body['changed'] = true)),
    'a dry run that acts': actingDryRun,
  },
  scheduleActivation: {
    'it is made at once': followed((request) => {
      const { at: _, ...activation } = bodyOf(request);
      return { url: request.url.replace(/schedule$/u, 'activations'), body: JSON.stringify(activation) };
    }),
    'a time without a zone is taken for UTC': sent(
      (body) => /\.\d{3}$/u.test(String(body['at'])) && (body['at'] = `${String(body['at'])}Z`),
    ),
    [NEVER]: sent((body) => {
      const time = Date.parse(String(body['at']));
      if (Math.abs(time - Date.now()) < 60_000) body['at'] = new Date(time + 3_600_000).toISOString();
    }),
    'somebody else scheduled it': edited((body) => (body['scheduledBy'] = NOBODY)),
    'no Location': withoutHeader('location', statusIs(201)),
    "somebody else's Idempotency-Key": keysOfAll(),
  },
  listSchedule: {
    'the latest first': edited((body) => list(body, 'scheduled').reverse()),
    'what it was before': cached(),
    'channels are not told apart': url(/&?channel=[^&]+/u, ''),
  },
  cancelScheduledActivation: {
    'it is told and not done': toldOnly(
      (path) => path.replace(/\/[^/]+\/cancel$/u, ''),
      (_, { url: path }) => ({ id: /schedule\/([^/]+)\/cancel$/u.exec(path)?.[1], revision: 1_000_000 }),
    ),
    'the id of another one': edited((body) => (body['id'] = 'another')),
  },
};

/** In operations that had deviations before. */
export const MORE_PLANTS: Readonly<Record<string, Plants>> = {
  rollbackPack: {
    'while a rollout runs it goes below the stable version': followed((_, { rollout }) =>
      rollout === undefined ? undefined : {},
    ),
    'the rollout that it ended is not named': withoutMember('rollout', statusIs(201)),
    'it came from the candidate': edited(
      (body) => body['rollout'] !== undefined && (body['previousVersion'] = '2.0.0'),
      statusIs(201),
    ),
    'the candidate is not known to be served': sent(
      (body) => body['fromVersion'] === '2.0.0' && (body['fromVersion'] = '1.10.0'),
    ),
  },
  activateVersion: {
    'a trial that has no end': sent((body) => delete body['revertAfter']),
    'the candidate is activated, and then rolled back': followed((request, { version }) =>
      version === '2.0.0' && !request.body.includes('dryRun')
        ? { url: request.url.replace(/activations$/u, 'rollback'), body: JSON.stringify({ reason: 'Back' }) }
        : undefined,
    ),
  },
  listEvents: {
    'steps of rollouts are left out': edited(
      (body) => (body['events'] = list(body, 'events').filter(({ type }) => type !== 'rollout-advanced')),
    ),
  },
  streamEvents: {
    'the salt is told': {
      message: (message) => message.replace(/("type":"rollout-started")/u, '$1,"salt":"nYw2x0pZ1fJ3kQ8s"'),
    },
    'a rollout names no channel': {
      message: (message) => (message.includes('"rollout-') ? message.replace(/"channel":"[^"]+",?/u, '') : message),
    },
  },
  startCoachSession: {
    'the subject is ignored': sent((body) => delete body['subject']),
    'the arm is not told': withoutMember('assignment', statusIs(201)),
    'the other arm is told': edited((body) => {
      const assignment = body['assignment'] as Body | undefined;
      if (assignment !== undefined) assignment['arm'] = assignment['arm'] === 'stable' ? 'candidate' : 'stable';
    }, statusIs(201)),
  },
  getCoachSession: {
    'a rollback that forgets its policy': at('rollbackPack', withoutPolicy),
    'an activation that forgets its policy': at('activateVersion', withoutPolicy),
    'a promotion that forgets its policy': at('promoteRollout', withoutPolicy),
    'an abort that forgets its policy': at('abortRollout', withoutPolicy),
    'a rollback that ends all sessions': at(
      'rollbackPack',
      sent((body) => body['sessions'] === undefined && body['toVersion'] === undefined && (body['sessions'] = 'end')),
    ),
    'a revocation that forgets its policy': at('revokeVersion', withoutPolicy),
    'a session that does not see its move': cached(),
    'where it came from is not told': withoutMember('movedFrom'),
    'why it has ended is not told': withoutMember('reason', statusIs(410)),
  },
};

/** What must fail where the first of these is planted. */
export const ROLLOUT_BECAUSE: Readonly<Record<string, RegExp>> = {
  getChannel: /id, share, audience, state, hash and revision/u,
  confirmActivation: /the version that is on trial stays: .* answered 200 instead of 404/u,
  startRollout: /with dryRun .*: (?:no event was added|no rollout was started)/u,
  listRollouts: /the newest first, .*: the newest two/u,
  getRollout: /each change has another ETag/u,
  advanceRollout: /one by one, .*: step, share, state, changed/u,
  pauseRollout: /getRollout shows what pauseRollout answered/u,
  resumeRollout: /getRollout shows what resumeRollout answered/u,
  promoteRollout: /the candidate is active since that revision/u,
  abortRollout: /: state, changed/u,
  scheduleActivation: /moves nothing: the channel did not move/u,
  listSchedule: /the earliest first: each as it was answered/u,
  cancelScheduledActivation: /it is not pending any more/u,
};
