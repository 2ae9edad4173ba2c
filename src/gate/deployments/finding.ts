import type { GateRecord } from '../../audit/audit-record';
import type { Fault } from '../../kernel/failures';
import type { DecisionOutcome } from '../../kernel/outcome';
import type { DeploymentStatus } from './deployment-state';
import { reasonCodesOf } from '../../kernel/reason-code';

/** What a look at a stage found, without numbers: as long as this stays the same, nothing changed. */
export interface Finding {
  /** whether it allowed, denied, or could not be decided */
  outcome: DecisionOutcome;
  /** codes of the deny reasons, or types of the faults with their facts; sorted, each once */
  codes: string[];
}

const SHOWN_CODES = 10;

/** What a decision's record says, masked or not. */
export function findingOf(record: Pick<GateRecord, 'outcome' | 'reasons' | 'errorDetails' | 'masked'>): Finding {
  const outcome = record.outcome ?? 'error';
  if (outcome === 'error') return findingOfFaults(record.errorDetails);
  return { outcome, codes: sorted(reasonCodesOf(record)) };
}

/** What the faults of a pause, or of a decision that could not be made, say. */
export function findingOfFaults(faults: readonly Fault[]): Finding {
  return {
    outcome: 'error',
    codes: sorted(faults.map(({ type, factId }) => (factId === undefined ? type : `${type}(${factId})`))),
  };
}

/** What was found last of a deployment: an open pause counts until its faults have recovered. */
export function lastFinding({
  pause,
  lastLook,
  lastDecision,
}: Pick<DeploymentStatus, 'pause' | 'lastLook' | 'lastDecision'>): Finding {
  if (pause && !pause.recovered) return findingOfFaults(pause.faults);
  const newest = lastLook ?? lastDecision;
  if (newest === undefined) return { outcome: 'error', codes: [] };
  const { outcome, denyReasons: reasons, faults: errorDetails } = newest.decision;
  return newest.codes === undefined ? findingOf({ outcome, reasons, errorDetails }) : { outcome, codes: newest.codes };
}

export function isSameFinding(a: Finding, b: Finding): boolean {
  return (
    a.outcome === b.outcome && a.codes.length === b.codes.length && a.codes.every((code, at) => code === b.codes[at])
  );
}

/** One line that holds no value of a fact: `deny: max_pending_limit_exceeded`. */
export function findingText({ outcome, codes }: Finding): string {
  if (codes.length === 0) return outcome;
  const more = codes.length > SHOWN_CODES ? ` and ${codes.length - SHOWN_CODES} more` : '';
  return `${outcome}: ${codes.slice(0, SHOWN_CODES).join(', ')}${more}`;
}

function sorted(codes: readonly string[]): string[] {
  return [...new Set(codes)].sort();
}
