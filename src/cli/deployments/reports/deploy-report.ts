import { messageOf } from '../../../kernel/message-of';
import { explain, summarise } from '../../../gate/deployments/explain';
import type { DeploymentStatus, StageProgress } from '../../../gate/deployments/deployment-state';
import { GateError } from '../../../kernel/failures';
import { placedFaultText } from '../../../kernel/fault-text';
import { shortList } from '../../../kernel/short-text';
import { CliExit, ExitCode } from '../../io';

/** What `gate deploy` has learned while it runs; filled in as it goes, and read when it ends, however it ends. */
export interface Learned {
  /** of the deployment that is started or found */
  id?: string;
  /** the stages that were asked for, in order */
  stages?: readonly string[];
  /** the newest status that a worker reported */
  status?: DeploymentStatus;
  /** one sentence instead of the status, where the result comes from elsewhere */
  summary?: string;
  /** a state that is not the status's */
  state?: string;
}

/** What came of one `gate deploy`, as the pages of a pipeline show it. All texts may be anything, control characters too. */
export interface DeployReport {
  /** absent when the command failed before it knew one */
  id?: string;
  code: ExitCode;
  /** of the deployment; `error` where the command could not tell */
  state: string;
  /** one sentence */
  summary: string;
  stages: readonly StageProgress[];
  /** name of the stage that `why` is about */
  stage?: string;
  /** deny reasons, or one sentence a fault; bounded */
  why: readonly string[];
  /** what the newest decision was made from, by name */
  decision: readonly (readonly [name: string, value: string])[];
  startedAtMs: number;
  endedAtMs: number;
}

/** How the command ended: with an exit code, or with an error that says one. */
export type DeployEnd = { code: ExitCode } | { error: unknown };

/** The report of a command that has ended. */
export function toDeployReport(
  learned: Learned,
  end: DeployEnd,
  times: Pick<DeployReport, 'startedAtMs' | 'endedAtMs'>,
): DeployReport {
  const { id, status, stages = [] } = learned;
  const isDecided = status !== undefined && (learned.state ?? status.state) === status.state;
  return {
    ...(id === undefined ? {} : { id }),
    code: 'code' in end ? end.code : codeOf(end.error),
    state: learned.state ?? status?.state ?? ('error' in end ? 'error' : 'running'),
    summary: summaryOf(learned, end),
    stages: status?.stages ?? stages.map((name) => ({ name, state: 'unknown' })),
    ...(status === undefined ? {} : { stage: status.stage }),
    why: shortList([...(isDecided ? explain(status, []).why : []), ...faultsOf(end)]),
    decision: decisionOf(status),
    ...times,
  };
}

function summaryOf({ id, status, summary }: Learned, end: DeployEnd): string {
  if ('error' in end) return messageOf(end.error);
  if (summary !== undefined) return summary;
  if (status !== undefined) return summarise(status);
  return `Deployment ${id ?? ''} is started; nobody waited for its end`;
}

/** A single fault says what the summary says. */
function faultsOf(end: DeployEnd): string[] {
  if (!('error' in end && end.error instanceof GateError)) return [];
  const { faults } = end.error;
  return faults.length > 1 ? faults.map(placedFaultText) : [];
}

function codeOf(error: unknown): ExitCode {
  return error instanceof CliExit ? error.code : ExitCode.usage;
}

function decisionOf(status: DeploymentStatus | undefined): DeployReport['decision'] {
  const last = status?.lastDecision;
  if (last === undefined) return [];
  const { decisionId, decisionTimeMs, decision, release } = last;
  return [
    ['Decision', decisionId],
    ['Outcome', decision.outcome],
    ['Made at', new Date(decisionTimeMs).toISOString()],
    ...(release === undefined
      ? []
      : ([
          ['Release', release.manifestVersion],
          ['Policy SHA-256', release.policySha],
          ['Configuration revision', release.configRev],
        ] as const)),
  ];
}

/** The text without halves of surrogate pairs, which no encoding has bytes for. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD');
}
