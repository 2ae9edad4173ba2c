import { BoundedMap } from '../kernel/bounded-map';
import { emptyReport, mergeReport, takeBack, type ReplayReport } from './replay-report';

/** The first decision of a stage in a batch: whether it is a recheck follows from the batches before. */
export interface FirstOfStage {
  key: string;
  found: string;
  /** what the batch's report holds of it */
  report: ReplayReport;
}

/** What was found in one batch. */
export interface ReplayedBatch {
  report: ReplayReport;
  firsts: readonly FirstOfStage[];
  /** what the newest record of each stage found */
  last: ReadonlyMap<string, string>;
}

/** Stages whose newest record is known, the latest ones: enough for all that wait at a time. */
const MOST_STAGES = 50_000;

/** Puts batches together in their order, in bounded memory. */
export class ReplayMerge {
  readonly report = emptyReport();
  private readonly newest = new BoundedMap<string, string>(MOST_STAGES);

  constructor(private readonly maxRows: number) {}

  add({ report, firsts, last }: ReplayedBatch): void {
    for (const first of firsts) if (this.newest.get(first.key) === first.found) takeBack(report, first.report);
    for (const [key, found] of last) this.newest.set(key, found);
    mergeReport(this.report, report, this.maxRows);
  }
}
