import { BoundedMap } from '../kernel/bounded-map';
import {
  emptyReport,
  keepRow,
  mergeReport,
  takeBack,
  type ReplayClass,
  type ReplayReport,
  type ReplayRow,
} from './replay-report';

/** The first decision of a stage in a batch: whether it is a recheck follows from the batches before. */
export interface FirstOfStage {
  key: string;
  found: string;
  /** what the batch's report holds of it */
  report: ReplayReport;
  /** its place among the candidate's own, where it is one */
  own?: number;
}

/** A decision that the candidate itself made: it is recorded once. */
export interface Sight {
  row: Pick<ReplayRow, 'decisionID' | 'deploymentID' | 'stage' | 'timestamp' | 'oldOutcome'>;
  /** what it was counted as */
  found: ReplayClass;
  /** counted as not reproduced already */
  isNotReproduced: boolean;
}

/** What was found in one batch. */
export interface ReplayedBatch {
  report: ReplayReport;
  firsts: readonly FirstOfStage[];
  /** what the newest record of each stage found */
  last: ReadonlyMap<string, string>;
  /** decisions that the candidate itself made, in their order */
  own: readonly Sight[];
}

/** Stages whose newest record is known, the latest ones: enough for all that wait at a time. */
const MOST_STAGES = 50_000;
/** Decisions whose ids are known, the latest ones: a record that is there twice is found over so many. */
const MOST_IDS = 200_000;

const REPEATED = 'the same record was there before';

/** Puts batches together in their order, in bounded memory. */
export class ReplayMerge {
  readonly report = emptyReport();
  private readonly ids = new BoundedMap<string, true>(MOST_IDS);
  private readonly newest = new BoundedMap<string, string>(MOST_STAGES);

  constructor(private readonly maxRows: number) {}

  add({ report, firsts, last, own }: ReplayedBatch): void {
    // What is not counted cannot be counted as a repetition.
    const uncounted = new Set<number | undefined>();
    for (const first of firsts) {
      if (this.newest.get(first.key) !== first.found) continue;
      takeBack(report, first.report);
      uncounted.add(first.own);
    }
    for (const [key, found] of last) this.newest.set(key, found);
    for (const [at, sight] of own.entries()) {
      if (uncounted.has(at)) continue;
      const { decisionID } = sight.row;
      if (this.ids.get(decisionID) && !sight.isNotReproduced) this.addRepeated(report, sight);
      this.ids.set(decisionID, true);
    }
    mergeReport(this.report, report, this.maxRows);
  }

  /** A store has one record under an id: the second one is not the release's. */
  private addRepeated(report: ReplayReport, { row, found }: Sight): void {
    const { oldOutcome } = row;
    const again = { ...row, oldReasons: [], newOutcome: oldOutcome, newReasons: [REPEATED] };
    report.notReproduced += 1;
    keepRow(report, 'not-reproduced', again, this.maxRows);
    if (found !== 'same') return;
    report.counts.same -= 1;
    report.counts.changed += 1;
    keepRow(report, 'changed', again, this.maxRows);
  }
}
