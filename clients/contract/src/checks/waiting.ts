/** `Prefer: wait` (RFC 7240), which activating, rolling back and revoking have in common. */
import type { Activation } from '../answers.ts';
import type { Request } from '../connection.ts';
import type { Kit } from '../kit.ts';

/** @param done the status where no instance is pending; 202 where one is */
export async function waited(kit: Kit, operation: string, request: Request, done: number): Promise<void> {
  const { status, headers, body } = await kit.ask<Pick<Activation, 'instances'>>(
    operation,
    { ...request, headers: { prefer: 'wait=2' } },
    done,
    202,
  );
  kit.same(headers.get('preference-applied'), 'wait', 'Preference-Applied');
  const { applied = [], pending = [], pinned = [] } = body.instances ?? {};
  kit.same(pending.length > 0, status === 202, `202 where an instance is pending, ${done} where none is`);
  kit.ok(
    applied.length + pending.length + pinned.length > 0,
    'instances says who has applied it, the one that answers among them',
    body.instances,
  );
}
