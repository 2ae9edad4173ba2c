import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeploymentClient } from '../../src/clients/deployment-client';
import { updateTaken } from '../../src/clients/update-taken';
import { workflowIdOf } from '../../src/kernel/names';
import { eventually, startTemporalEnv, type TemporalEnv } from '../support/temporal-env';

const CALL = { actor: 'ann', reason: 'checked by hand', for: 'pause-1' };
const DEADLINE_MS = 1_500;

describe('an operator call without an answer', () => {
  let env: TemporalEnv;
  beforeAll(async () => {
    env = await startTemporalEnv(require.resolve('./breakable-workflow'));
  });
  afterAll(() => env?.stop());

  const start = (id: string) =>
    env.client.workflow.start('deployment', {
      workflowId: workflowIdOf(id),
      taskQueue: id,
      args: [],
      workflowTaskTimeout: '1s',
    });
  const call = (id: string) =>
    new DeploymentClient({ client: env.client, taskQueue: id, deadlineMs: DEADLINE_MS }).call(id, 'resume', CALL);
  const unconfirmed = (taken: string, isTaskFailing = false) => ({ result: 'unconfirmed', taken, isTaskFailing });

  it('an operator call is held by Temporal while no worker runs', async () => {
    await start('held');
    expect(await call('held')).toEqual(unconfirmed('held'));
  });

  it('an operator call that the deployment has taken counts as accepted', async () => {
    await start('accepted');
    await env.withWorker('accepted', {}, async () => {
      await eventually('a call that was accepted', async () => {
        const answer = await call('accepted');
        return answer.result === 'unconfirmed' && answer.taken === 'accepted';
      });
    });
  });

  it('an operator call is not taken while the workflow task of the deployment fails', async () => {
    const workflow = await start('failing');
    await env.withWorker('failing', {}, async () => {
      await workflow.signal('break');
      await eventually('a call that is not taken', async () => {
        const answer = await call('failing');
        return JSON.stringify(answer) === JSON.stringify(unconfirmed('no', true));
      });
    });
  });

  it('an Update that Temporal has never seen is not taken', async () => {
    await start('unseen');
    expect(await updateTaken(env.client, workflowIdOf('unseen'), 'never-sent')).toBe('no');
  });

  it('an Update is unknown when the server cannot be asked', async () => {
    const other = await startTemporalEnv(require.resolve('./breakable-workflow'));
    await other.stop();
    expect(await updateTaken(other.client, workflowIdOf('gone'), 'x')).toBe('unknown');
  });
});
