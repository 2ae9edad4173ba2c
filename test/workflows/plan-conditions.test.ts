import { describe, expect, it } from '@jest/globals';
import { storedExecutions } from './stored-executions';
import { eventually } from '../support/temporal-env';

describe('nodes of an execution with a when', () => {
  const { start, status, reach, replayed, gate } = storedExecutions();
  const ended = (phase: string) => eventually(`the end as ${phase}`, async () => (await status()).phase === phase);
  const messages = async () =>
    Object.fromEntries(Object.entries((await status()).nodeStatuses ?? {}).map(([id, { message }]) => [id, message]));

  it('a node whose when is false is skipped with what depends on it, and what waits for it softly goes on', async () => {
    await start(
      'a b<a c<b d~b e~b',
      {
        a: { when: 'parameters.env == "prod"' },
        b: { when: 'nodes.a.phase == "Succeeded" && parameters.env == "dev"' },
        e: { when: 'nodes.b.phase == "Skipped"' },
      },
      { parameters: { env: 'prod' } },
    );
    await reach('a Succeeded, b Skipped, c Skipped, d Succeeded, e Succeeded');
    await ended('Succeeded');
    expect(await messages()).toMatchObject({
      b: 'when is false: nodes.a.phase == "Succeeded" && parameters.env == "dev"',
      c: 'node b, which it depends on, was skipped',
    });
    expect((await status()).nodeStatuses?.b).not.toHaveProperty('startTime');
    expect(
      gate()
        .actions.map(({ context }) => context.stage)
        .sort(),
    ).toEqual(['a', 'd', 'e']);
    await replayed();
  });

  it('a when without an answer fails its node once, however many retries it has', async () => {
    await start('a b<a c~b', {
      b: { when: 'parameters.missing == 1', retries: 3 },
      c: { when: 'nodes.b.phase == "Failed"' },
    });
    await reach('a Succeeded, b Failed, c Succeeded');
    await ended('Failed');
    expect(await messages()).toMatchObject({
      b: 'when has no answer: No such key: missing at character 12, in parameters.missing == 1',
    });
    expect((await status()).nodeStatuses?.b?.attempt).toBe(1);
    await replayed();
  });

  it('what an action gives is in the status, is read by a when, and is an artifact where it is a URL', async () => {
    const fake = gate().activities();
    gate().activities = () => ({
      ...fake,
      runAction: async (request) => {
        const answer = await fake.runAction(request);
        const outputs = { report: 'https://x.test/r', devices: 12 };
        return request.outputs === undefined ? answer : { ...answer, outputs };
      },
    });
    await start('a b<a', { a: { outputs: ['report', 'devices'] }, b: { when: 'nodes.a.outputs.devices > 10' } });
    await reach('a Succeeded, b Succeeded');
    await ended('Succeeded');
    const { nodeStatuses, artifacts } = await status();
    expect(nodeStatuses?.a?.outputs).toEqual({ report: 'https://x.test/r', devices: 12 });
    expect(nodeStatuses?.b).not.toHaveProperty('outputs');
    expect(artifacts).toEqual([{ name: 'report', type: 'url', url: 'https://x.test/r', metadata: { node: 'a' } }]);
    await replayed();
  });
});
