import type { AuditRecord, GateRecord } from '../audit/audit-record';
import { isGateRecord } from '../audit/place';
import type { Decision } from '../gate/decisions/decision';
import { toDecision, type EvaluationResult } from '../gate/decisions/decide';
import { evaluateSnapshot } from '../gate/decisions/evaluate-snapshot';
import { type EvaluatePolicy, type PolicyRequest } from '../rego/evaluation/evaluate-policy';
import type { DecisionOutcome } from '../kernel/outcome';
import { reasonCode } from '../kernel/reason-code';
import { classOf, gaveNoAnswer, STOPPED_THEN } from './compare';
import { contradictions, leaseContradiction } from './contradictions';
import { otherEvaluators } from './evaluators-then';
import { RecheckFinder } from './old-rechecks';
import { parseRecord, type ParsedRecord } from './parse-record';
import { rebuildSnapshot, type Candidate } from './rebuild-snapshot';
import { ReplayMerge, type FirstOfStage, type Sight, type ReplayedBatch } from './replay-merge';
import {
  addBroken,
  countCause,
  countReason,
  emptyReport,
  keepRow,
  mergeReport,
  type ReplayReport,
  type ReplayRow,
} from './replay-report';

/** Which of the gate's decisions are replayed; absent filters match all. */
export interface ReplayFilter {
  deploymentID?: string;
  stage?: string;
  /** as it was recorded */
  outcome?: DecisionOutcome;
  /** RFC 3339, inclusive */
  since?: string;
  /** RFC 3339, exclusive */
  until?: string;
}

/** A record, or the line of an export that should be one; lines count from 1, and empty ones are passed over. */
export type ReplayItem = { record: AuditRecord } | { line: number; text: string };

export interface ReplayOptions {
  candidate: Candidate;
  filter: ReplayFilter;
  /** asked for many at a time: it may answer them side by side */
  evaluate: EvaluatePolicy;
  /** the host's built-ins that an evaluation calls, asked only of decisions that were not reproduced */
  builtinsOf(request: PolicyRequest): Promise<readonly string[]>;
  /** rows kept of a kind */
  maxRows: number;
  /** told after each batch how many items were looked at so far */
  onProgress?(items: number): void;
}

/** A decision that is being made again. */
interface Underway {
  record: GateRecord;
  /** where the candidate itself made it */
  sight: Sight | undefined;
  /** of a decision log, which holds no lease */
  isEvent: boolean;
  /** what it is counted in: the batch's, or one of its own where it may be taken back */
  report: ReplayReport;
  decision: Promise<Decision>;
  request: PolicyRequest | undefined;
  /** the decision if nothing that was noted counted; undefined where the policy gave no answer */
  unnoted(): Decision | undefined;
}

/**
 * Replays items in their order, in bounded memory: while one batch is evaluated the next one is read and taken apart.
 *
 * @throws what `batches` throws, and what `evaluate` throws that is not the policy's own fault
 */
export async function replay(
  batches: AsyncIterable<readonly ReplayItem[]>,
  options: ReplayOptions,
): Promise<ReplayReport> {
  const merge = new ReplayMerge(options.maxRows);
  let items = 0;
  let before: Promise<ReplayedBatch> | undefined;
  for await (const batch of batches) {
    const started = replayBatch(batch, options);
    // Awaited in the next round or below; a failure must not count as unhandled before that.
    started.catch(() => undefined);
    if (before) merge.add(await before);
    before = started;
    items += batch.length;
    options.onProgress?.(items);
  }
  if (before) merge.add(await before);
  return merge.report;
}

/** What was found in one batch: `ReplayMerge` puts it into the whole. */
export async function replayBatch(
  batch: readonly ReplayItem[],
  options: Omit<ReplayOptions, 'onProgress'>,
): Promise<ReplayedBatch> {
  const report = emptyReport();
  const finder = new RecheckFinder();
  const firsts: FirstOfStage[] = [];
  const own: Sight[] = [];
  const started = batch.flatMap((item) => begin(item, options, { report, finder, firsts, own }));
  // Rows of decisions that may yet be taken back keep no others out.
  const maxRows = options.maxRows + firsts.length;
  for (const underway of started) {
    const one = underway.report;
    await addDecision(one, underway, await underway.decision, { ...options, maxRows });
    if (one !== report) mergeReport(report, one, maxRows, Infinity);
  }
  return { report, firsts, last: finder.last, own };
}

/** Where a batch is counted. */
interface Counting {
  report: ReplayReport;
  finder: RecheckFinder;
  firsts: FirstOfStage[];
  /** decisions that the candidate itself made */
  own: Sight[];
}

/** Counts what need not be evaluated, and starts what must. */
function begin(
  item: ReplayItem,
  options: Omit<ReplayOptions, 'onProgress'>,
  { report: whole, finder, firsts, own }: Counting,
): Underway[] {
  if ('text' in item && item.text.trim() === '') return [];
  const parsed = 'text' in item ? parseRecord(item.text) : item;
  if ('why' in parsed) {
    addBroken(whole, 'line' in item ? item.line : 0, parsed.why);
    return [];
  }
  const { record } = parsed;
  const place = isGateRecord(record) ? finder.place(record) : undefined;
  if (!isGateRecord(record) || !isWanted(record, options.filter)) {
    whole.skipped += 1;
    return [];
  }
  if (place?.is === 'recheck') {
    whole.rechecks += 1;
    return [];
  }
  const report = place?.is === 'unknown' ? emptyReport() : whole;
  report.decisions += 1;
  const { cause, isEvent }: Partial<ParsedRecord> = parsed;
  const rebuilt = cause === undefined ? rebuildSnapshot(record, options.candidate) : { cause };
  const sight = isMadeBy(record, options.candidate) ? sightOf(record) : undefined;
  if (sight) own.push(sight);
  if (place?.is === 'unknown') {
    firsts.push({ key: place.key, found: place.found, report, ...(sight ? { own: own.length - 1 } : {}) });
  }
  if ('cause' in rebuilt) {
    addUnasked(report, record, rebuilt.cause, sight, options.maxRows);
    if (report !== whole) mergeReport(whole, report, options.maxRows + firsts.length, Infinity);
    return [];
  }
  const { snapshot } = rebuilt;
  const { release } = options.candidate;
  let request: PolicyRequest | undefined;
  let answer: Awaited<ReturnType<EvaluatePolicy>> | undefined;
  const decision = evaluateSnapshot({
    release,
    snapshot,
    evaluate: async (asked) => {
      request = asked;
      answer = await options.evaluate(asked);
      return answer;
    },
  });
  decision.catch(() => undefined);
  return [
    {
      record,
      sight,
      isEvent: isEvent === true,
      report,
      decision,
      get request() {
        return request;
      },
      unnoted: () =>
        answer && toDecision({ snapshot, usedFactIds: release.policy.reads.facts, result: unnoted(answer) }),
    },
  ];
}

function unnoted({ account, ...answer }: Awaited<ReturnType<EvaluatePolicy>>): EvaluationResult {
  if (account === undefined) return answer;
  const { notes: _left, ...rest } = account;
  return { ...answer, account: rest };
}

/** Adds what the candidate decided about a record. */
async function addDecision(
  report: ReplayReport,
  { record, sight, isEvent, request, unnoted }: Underway,
  decision: Decision,
  { builtinsOf, maxRows }: Pick<ReplayOptions, 'builtinsOf' | 'maxRows'>,
): Promise<void> {
  const isOwn = sight !== undefined;
  if (isOwn && gaveNoAnswer(record) && decision.evalDurationNs > 0) {
    report.counts['not-replayable'] += 1;
    countCause(report, STOPPED_THEN);
    return;
  }
  for (const code of new Set(record.reasons.map(reasonCode))) countReason(report, code, 'then');
  for (const code of new Set(decision.denyReasons.map(reasonCode))) countReason(report, code, 'now');
  const oldEvaluators = otherEvaluators(record, decision);
  const compared = classOf(record, decision, isOwn);
  const isNotedOnly = (): boolean => {
    const without = oldEvaluators === undefined || compared === 'same' ? undefined : unnoted();
    return without !== undefined && classOf(record, without, isOwn) === 'same';
  };
  const wrong = isOwn ? contradictions(record) : [];
  const lease = isOwn && oldEvaluators === undefined && !isEvent ? leaseContradiction(record, decision) : undefined;
  if (lease !== undefined) wrong.push(lease);
  const reproduced = isNotedOnly() ? 'evaluator-changed' : compared;
  const isReproduced = reproduced === 'same' || reproduced === 'evaluator-changed';
  const found = isReproduced && wrong.length > 0 ? 'changed' : reproduced;
  report.counts[found] += 1;
  if (sight) sight.found = found;
  if (found === 'same') return;
  const row: ReplayRow = {
    decisionID: record.decisionID,
    deploymentID: record.deploymentID,
    stage: record.stage,
    timestamp: record.timestamp,
    oldOutcome: record.outcome ?? 'error',
    oldReasons: [...record.reasons, ...record.errorDetails.map(({ message }) => message)],
    newOutcome: decision.outcome,
    newReasons: [...decision.denyReasons, ...decision.faults.map(({ message }) => message), ...wrong],
    ...(oldEvaluators === undefined ? {} : { oldEvaluators }),
  };
  keepRow(report, found, row, maxRows);
  if (sight === undefined || found === 'evaluator-changed') return;
  sight.isNotReproduced = true;
  report.notReproduced += 1;
  if (report.rows['not-reproduced'].length >= maxRows) return;
  // One that gave no answer may have been stopped at its deadline: asked again, with nothing to stop it, it may never end.
  const gaveNone = request !== undefined && decision.evalDurationNs === 0;
  const builtins = request === undefined || gaveNone ? [] : await builtinsOf(request);
  keepRow(report, 'not-reproduced', gaveNone ? row : { ...row, builtins: [...builtins] }, maxRows);
}

function isMadeBy({ policySHA, configRev }: GateRecord, { release }: Candidate): boolean {
  return policySHA === release.ref.policySha && configRev === release.ref.configRev;
}

/** Counts a decision that no policy is asked of: one of the candidate's own may be wrong all the same. */
function addUnasked(
  report: ReplayReport,
  record: GateRecord,
  cause: string,
  sight: Sight | undefined,
  maxRows: number,
): void {
  const wrong = sight && isKnown(record) ? contradictions(record) : [];
  if (sight && isUnfounded(record)) wrong.unshift(cause);
  if (sight === undefined || wrong.length === 0) {
    report.counts['not-replayable'] += 1;
    countCause(report, cause);
    return;
  }
  const { deploymentID, decisionID, stage, timestamp, outcome = 'error', reasons } = record;
  const then = { decisionID, deploymentID, stage, timestamp, oldOutcome: outcome, oldReasons: reasons };
  const row: ReplayRow = { ...then, newOutcome: 'error', newReasons: wrong };
  sight.found = 'changed';
  sight.isNotReproduced = true;
  report.counts.changed += 1;
  report.notReproduced += 1;
  keepRow(report, 'changed', row, maxRows);
  keepRow(report, 'not-reproduced', row, maxRows);
}

/** Whether this version wrote such records, and the store gave it whole. */
const isKnown = ({ schemaVersion, damaged }: GateRecord): boolean => schemaVersion === 1 && damaged === undefined;

/** An allow that its release could not have given: what it reads is not in the record, and nothing was masked. */
const isUnfounded = (record: GateRecord): boolean =>
  record.outcome === 'allow' && isKnown(record) && (record.masked ?? []).length === 0;

function sightOf({ decisionID, deploymentID, stage, timestamp, outcome = 'error' }: GateRecord): Sight {
  const row = { decisionID, deploymentID, stage, timestamp, oldOutcome: outcome };
  return { row, found: 'not-replayable', isNotReproduced: false };
}

/** Filters compare times as times: a record may write its zone in another way. */
function isWanted(record: GateRecord, { deploymentID, stage, outcome, since, until }: ReplayFilter): boolean {
  if (record.kind !== 'decision') return false;
  if (deploymentID !== undefined && record.deploymentID !== deploymentID) return false;
  if (stage !== undefined && record.stage !== stage) return false;
  if (outcome !== undefined && record.outcome !== outcome) return false;
  if (since === undefined && until === undefined) return true;
  const atMs = Date.parse(record.timestamp);
  return !(since !== undefined && atMs < Date.parse(since)) && !(until !== undefined && atMs >= Date.parse(until));
}
