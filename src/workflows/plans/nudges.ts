import { LOOK_SIGNAL } from '../../plans/execution/plan-run';
import { answerSignal } from '../parts/unknown-messages';

/** Counts how often the run was told to look at what its nodes wait for. */
export class Nudges {
  private told = 0;

  /** To be made before the gate, which notes all other signals. */
  constructor() {
    answerSignal(LOOK_SIGNAL, () => {
      this.told += 1;
    });
  }

  get count(): number {
    return this.told;
  }
}
