import { describe, expect, it } from '@jest/globals';
import type { ActionContext, ModuleAction } from '../../../../src/gate/actions/action';
import type { ActionModule, ModuleRequest } from '../../../../src/gate/actions/action-kind';
import { ACTIONS } from '../../../../src/images/gating/all-actions';
import { noImages } from '../../../support/no-images';
import { noShards } from '../../../support/no-shards';
import { noNotices } from '../../../support/no-notices';

const context: ActionContext = {
  deployment_id: 'fw',
  stage: 'canary',
  stage_index: 0,
  attributes: {},
  stage_attributes: { devices: 500 },
  decision_id: 'd-1',
};
const spec = (over: Partial<ModuleAction> = {}): ModuleAction => ({ type: 'module', name: 'flip', ...over });
const options = { idempotencyKey: 'key-1', signal: new AbortController().signal };
const actionsOf = (module: ActionModule) =>
  ACTIONS.create({
    fetch: () => Promise.reject(new Error('no request is sent here')),
    readSecret: () => Promise.reject(new Error('no secret is read here')),
    notices: noNotices,
    replicateImage: noImages,
    changeShard: noShards,
    loadModule: async (name) => {
      if (name !== 'flip') throw new Error(`no module ${name}`);
      return module;
    },
  });

describe("an action of the user's own", () => {
  it('gets its options with templates filled in, the context and the idempotency key', async () => {
    const seen: ModuleRequest[] = [];
    const actions = actionsOf({ run: async (request) => void seen.push(request) });
    const result = await actions.run(spec({ options: { to: '{{ stage_attributes.devices }}' } }), context, options);
    expect(result).toEqual({ summary: 'flip ran' });
    expect(seen).toEqual([{ options: { to: 500 }, context, ...options }]);
  });

  it('gives its own status and summary', async () => {
    const actions = actionsOf({ run: async () => ({ status: 7, summary: 'flipped 500' }) });
    expect(await actions.run(spec(), context, options)).toEqual({ status: 7, summary: 'flipped 500' });
  });

  it('gives the values that are asked for, and fails when it has not all of them', async () => {
    const outputs = { version: 'v2', more: 1, bad: undefined };
    const actions = actionsOf({ run: async () => ({ outputs }) as never });
    const asked = (...names: string[]) => actions.run(spec(), context, { ...options, outputs: names });
    expect(await asked('version')).toEqual({ summary: 'flip ran', outputs: { version: 'v2' } });
    expect(await asked()).toEqual({ summary: 'flip ran' });
    await expect(asked('bad', 'version')).rejects.toMatchObject({
      message: 'The outputs of action module: expected bad among what it gives, got version, more',
      retryable: false,
      mayHaveBeenSent: true,
    });
  });

  it('is taken back under a key of its own where the action says so', async () => {
    const keys: string[] = [];
    const actions = actionsOf({
      run: async () => undefined,
      compensate: async ({ idempotencyKey }) => void keys.push(idempotencyKey),
    });
    expect(await actions.compensate(spec({ compensate: true }), context, options)).toEqual({
      summary: 'flip was taken back',
    });
    expect(await actions.compensate(spec(), context, options)).toEqual({ summary: 'no compensation is defined' });
    expect(keys).toEqual(['key-1/compensation']);
  });

  it.each([
    ['an error that says nothing', new Error('boom'), { retryable: true, mayHaveBeenSent: true }],
    ['one that ends the attempts', Object.assign(new Error('boom'), { retryable: false }), { retryable: false }],
    [
      'one before anything began',
      Object.assign(new Error('boom'), { mayHaveBeenSent: false }),
      { mayHaveBeenSent: false },
    ],
    ['what is no error', 'boom', { retryable: true, mayHaveBeenSent: true }],
  ])('%s fails the action as it says', async (_what, error, wanted) => {
    const actions = actionsOf({ run: () => Promise.reject(error as Error) });
    await expect(actions.run(spec(), context, options)).rejects.toMatchObject({
      type: 'ActionFailed',
      message: 'Action flip failed: boom',
      ...wanted,
    });
  });

  it.each<[string, Partial<ModuleAction>, string]>([
    ['a module that the settings do not name', { name: 'flop' }, 'no module flop'],
    ['an unknown template', { options: { a: '{{ nope }}' } }, 'Unknown path nope'],
    ['a compensation that the module does not have', { compensate: true }, 'to have a compensate function'],
  ])('%s fails before anything begins', async (_what, over, message) => {
    const actions = actionsOf({ run: () => Promise.reject(new Error('it ran')) });
    await expect(actions.run(spec(over), context, options)).rejects.toMatchObject({
      message: expect.stringContaining(message),
      retryable: false,
      mayHaveBeenSent: false,
    });
  });
});
