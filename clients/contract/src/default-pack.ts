/**
 * The default pack of the server, for checks of what moves do to sessions. Only if the user allows it: `--move-default-pack`.
 *
 * Problem: coach sessions use the default pack, which others may use.
 * Rule: the checks publish four copies of its active version, which nothing makes the latest, and move its channel between them. At the end
 * the channel goes back to its version.
 * Example: `await pack.activate(pack.one)`; `await pack.activate(pack.other, { sessions: 'next-turn' })`.
 */
import type { Activation, ActivePack, PackDocument, Session, Style } from './answers.ts';
import type { Answer, Asker } from './asker.ts';
import { perWorld, statusOf, type World } from './world.ts';
import type { Rollout } from './rollout-answers.ts';

export class DefaultPack {
  readonly pack: string;
  readonly channel: string;
  /** Has every style of the version that was active, and `ownStyle`. */
  readonly one: string;
  /** Lacks `ownStyle`. */
  readonly other: string;
  /** To be revoked, like `fourth`. */
  readonly third: string;
  readonly fourth: string;
  readonly ownStyle: string;
  readonly #asker: Asker;
  readonly #reason: string;
  readonly #before: string;

  private constructor({ asker, runId }: World, { pack, channel, version }: ActivePack) {
    const versionOf = (name: string) => `0.0.0-contract.r${runId}.${name}`;
    this.pack = pack;
    this.channel = channel;
    this.one = versionOf('one');
    this.other = versionOf('other');
    this.third = versionOf('third');
    this.fourth = versionOf('fourth');
    this.ownStyle = `contract-${runId}`;
    this.#asker = asker;
    this.#reason = `Contract check ${runId}`;
    this.#before = version;
  }

  /** Publishes the versions. @throws Deviation */
  static async prepare(world: World): Promise<DefaultPack> {
    const { pack, channel } = (await world.session()).promptPack;
    const request = { path: { pack }, query: { channel } };
    const active = (await world.asker.ask<ActivePack>('getActivePack', request, 200)).body;
    const prepared = new DefaultPack(world, active);
    const own: Style = { id: prepared.ownStyle, title: 'Contract check', text: 'Of a contract check.' };
    await prepared.#publish(active, prepared.one, [...active.styles, own]);
    for (const version of [prepared.other, prepared.third, prepared.fourth])
      await prepared.#publish(active, version, active.styles);
    return prepared;
  }

  async #publish({ system, defaultStyle, compatibility }: ActivePack, version: string, styles: readonly Style[]) {
    const body: PackDocument = {
      version,
      summary: this.#reason,
      author: 'Contract check',
      system: `${system}\n${this.#reason}: ${version}.`,
      styles,
      defaultStyle,
      compatibility,
    };
    await this.#asker.ask('publishVersion', { path: { pack: this.pack }, body }, 201);
  }

  /** A body about the channel. */
  body(members: object = {}): object {
    return { channel: this.channel, reason: this.#reason, ...members };
  }

  async activate(version: string, members: object = {}): Promise<Activation> {
    const request = { path: { pack: this.pack }, body: this.body({ version, ...members }) };
    return (await this.#asker.ask<Activation>('activateVersion', request, 200, 201)).body;
  }

  async rollBack(members: object = {}): Promise<Activation> {
    const request = { path: { pack: this.pack }, body: this.body(members) };
    return (await this.#asker.ask<Activation>('rollbackPack', request, 200, 201)).body;
  }

  /** Makes `one` active, and starts a rollout of `other`. */
  async rollOut(share: number): Promise<Rollout> {
    await this.activate(this.one);
    const body = this.body({ version: this.other, steps: [{ share }], finish: 'wait' });
    return (await this.#asker.ask<Rollout>('startRollout', { path: { pack: this.pack }, body }, 201)).body;
  }

  /** Ends a rollout, or takes its next step. */
  async steer(verb: string, { id }: Rollout, members: object = {}): Promise<Rollout> {
    const path = { pack: this.pack, rollout: String(id) };
    const body = { reason: this.#reason, ...members };
    return (await this.#asker.ask<Rollout>(verb, { path, body }, 200)).body;
  }

  start(members: object = {}): Promise<Answer<Session>> {
    return this.#asker.ask<Session>('startCoachSession', { body: { channel: this.channel, ...members } }, 201);
  }

  /** @returns a message if the channel could not be put back to the version before the run */
  async moveBack(): Promise<string[]> {
    const request = { path: { pack: this.pack }, body: this.body({ toVersion: this.#before }) };
    const status = await statusOf(this.#asker.connection.send('rollbackPack', request));
    if (status === 200 || status === 201) return [];
    return [
      `The suite could not move the default pack ${this.pack} back (${status}). Roll it back to ${this.#before}.`,
    ];
  }
}

/** The default pack with the versions of this run; only if it may be moved. */
export const defaultPackOf = perWorld(async (world) => {
  if (!world.mayMoveDefaultPack) throw new Error('The checks may not move the default pack.');
  const pack = await DefaultPack.prepare(world);
  world.atEnd(() => pack.moveBack());
  return pack;
});
