import { condition, defineSignal, setHandler } from '@temporalio/workflow';
import { resumeUpdate } from '../../src/workflows/messages';

/** Takes calls and answers none of them; fails its task again and again once it is told to. */
export async function deployment(): Promise<void> {
  setHandler(resumeUpdate, async () => {
    await condition(() => false);
    throw new Error('not reached');
  });
  setHandler(defineSignal('break'), () => {
    throw new Error('this task fails');
  });
  await condition(() => false);
}
