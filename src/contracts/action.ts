import type { ActionModule, ModuleRequest } from '../gate/actions/action-kind';
import { rejection, type TestFramework } from './test-framework';

/** An action under test, and what it changes. */
export interface ActionUnderTest {
  action: ActionModule;
  /** of the deployment file, so that the action can run */
  options: ModuleRequest['options'];
  /** how many things the action has done, less those that it has taken back */
  effects(): Promise<number>;
  close(): Promise<void>;
}

/** What every action keeps to: it does a thing once under one key, however often it is called, and takes it back once. */
export function describeAction(
  { describe, it, expect }: TestFramework,
  name: string,
  open: () => Promise<ActionUnderTest>,
): void {
  describe(`action contract on ${name}`, () => {
    const using = async (work: (opened: ActionUnderTest) => Promise<void>): Promise<void> => {
      const opened = await open();
      try {
        await work(opened);
      } finally {
        await opened.close();
      }
    };
    const request = (
      { options }: ActionUnderTest,
      idempotencyKey: string,
      signal = new AbortController().signal,
    ): ModuleRequest => ({
      options,
      idempotencyKey,
      signal,
      context: {
        deployment_id: 'firmware-1.4.0',
        stage: 'canary',
        stage_index: 0,
        attributes: {},
        stage_attributes: {},
        decision_id: 'd-1',
      },
    });

    it('an action does its thing once under one key, and again under another', () =>
      using(async (opened) => {
        await opened.action.run(request(opened, 'key-1'));
        await opened.action.run(request(opened, 'key-1'));
        expect(await opened.effects()).toBe(1);
        await opened.action.run(request(opened, 'key-2'));
        expect(await opened.effects()).toBe(2);
      }));

    it('an action does nothing once its signal has aborted', () =>
      using(async (opened) => {
        await rejection(Promise.resolve(opened.action.run(request(opened, 'key-1', AbortSignal.abort()))));
        expect(await opened.effects()).toBe(0);
      }));

    it('an action that can take back what it did may be told so twice, also where nothing was done', () =>
      using(async (opened) => {
        const { action, effects } = opened;
        if (action.compensate === undefined) return;
        await action.compensate(request(opened, 'never/compensation'));
        expect(await effects()).toBe(0);
        await action.run(request(opened, 'key-1'));
        await action.compensate(request(opened, 'key-1/compensation'));
        await action.compensate(request(opened, 'key-1/compensation'));
        expect(await effects()).toBe(0);
      }));
  });
}
