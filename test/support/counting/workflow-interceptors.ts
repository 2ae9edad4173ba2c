import { proxySinks, type Sinks, type WorkflowInterceptors } from '@temporalio/workflow';
import { takeCounts, type Counts } from './counts';

/** Where the counts of workflow code leave its sandbox. */
export interface CoverageSinks extends Sinks {
  coverage: { add(counts: Counts): void };
}

const { coverage } = proxySinks<CoverageSinks>();

/** Hands over what each activation ran. */
export const interceptors = (): WorkflowInterceptors => ({
  internals: [
    {
      concludeActivation(input, next) {
        const counters = (globalThis as { __coverage__?: Counts }).__coverage__;
        if (counters !== undefined) coverage.add(takeCounts(counters));
        return next(input);
      },
    },
  ],
});
