import { describe, expect, it } from '@jest/globals';
import { readImagePolicies } from '../../../src/images/policies/read-image-policies';
import { wantedSyncs } from '../../../src/images/schedules/wanted-syncs';
import { messagesOf } from '../../support/in-folder';

const policy = (more: object = {}) => ({
  id: 'all',
  name: 'All',
  schedule: '*/15 * * * *',
  source: { registry: 'hub.example', repositories: ['team/*'] },
  actions: [{ type: 'replicate', target_registry: 'mirror.example' }],
  ...more,
});
const read = (...documents: object[]) =>
  readImagePolicies([{ where: { file: 'a.json' }, document: JSON.parse(JSON.stringify(documents)) }]);

describe('schedules of image policies', () => {
  it('a policy with a schedule is synced alone, and a missed run is made up for before the next one', () => {
    const [wanted, ...more] = wantedSyncs(read(policy(), policy({ id: 'other', schedule: undefined })), 'p/');
    expect(more).toEqual([]);
    expect(wanted).toMatchObject({
      id: 'p/all',
      workflowType: 'imageSync',
      trigger: { cron: '*/15 * * * *' },
      catchUpMs: 15 * 60_000,
      execution: { policies: ['all'], actor: 'schedule' },
      paused: false,
    });
  });

  it('a disabled policy has a schedule that is paused, with another note', () => {
    const [on] = wantedSyncs(read(policy()), 'p/');
    const [off] = wantedSyncs(read(policy({ enabled: false })), 'p/');
    expect([off?.paused, off?.note.startsWith('the policy is disabled')]).toEqual([true, true]);
    expect(off?.note).not.toBe(on?.note);
  });

  it.each([
    [{ schedule: '61 * * * *' }, 'expected a minute from 0 to 59'],
    [{ schedule: 'hourly' }, 'expected minute, hour, day of month, month and day of week'],
    [{ source: undefined }, 'expected a policy with a source and a replicate action'],
    [{ actions: [{ type: 'block' }] }, 'expected a policy with a source and a replicate action'],
  ])('a policy with %j is refused where its schedule is', async (more, expected) => {
    const [message, ...others] = await messagesOf(() => read(policy(more)));
    expect(others).toEqual([]);
    expect(message).toContain(expected);
  });

  it('a retry policy with a wrong wait is refused', async () => {
    const action = {
      type: 'replicate',
      target_registry: 'mirror.example',
      retry_policy: { max_attempts: 2, max: 'soon' },
    };
    expect(await messagesOf(() => read(policy({ actions: [action] })))).toEqual([expect.stringContaining('"soon"')]);
  });
});
