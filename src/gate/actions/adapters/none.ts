import type { NoneAction } from '../action';
import type { ActionKind } from '../action-kind';

/** A stage that only waits for the gate. */
export const noneAction: ActionKind<NoneAction> = {
  type: 'none',
  check: () => [],
  create: () => ({
    run: async () => ({ summary: 'nothing to do' }),
    compensate: async () => ({ summary: 'nothing to undo' }),
  }),
};
