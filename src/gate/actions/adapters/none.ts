import type { NoneAction } from '../action';
import type { ActionType } from '../registry';

/** A stage that only waits for the gate. */
export const noneAction: ActionType<NoneAction> = {
  type: 'none',
  check: () => [],
  run: async () => ({ summary: 'nothing to do' }),
  compensate: async () => ({ summary: 'nothing to undo' }),
};
