import type { ExecutionStatus, Measures } from '../../rules/execution/execution';
import { summariseExecution } from '../../rules/execution/progress';
import { formatDifference } from '../../shards/simulate/format-difference';
import { ExitCode, type CliIo } from '../io';
import { colorsFor, painted } from '../output';

/** An execution for people: its state, each step with its status, and what it rests on. */
export function executionLines(io: CliIo, status: ExecutionStatus): string[] {
  const { plan, steps, pause } = status;
  const colors = colorsFor(io);
  const lines = [summariseExecution(status)];
  if (plan !== undefined) {
    const { policies, stateVersion, stateDigest } = plan;
    const names = policies.map(({ name, revision }) => (revision === 0 ? name : `${name} (revision ${revision})`));
    if (names.length > 0) lines.push(`Policies: ${names.join(', ')}`);
    lines.push(`State: ${stateVersion ?? 'without a version'}, digest ${stateDigest.slice(0, 12)}`);
    plan.steps.forEach(({ sentence }, index) => {
      const { status: state = 'pending', fault } = steps[index] ?? {};
      const why = fault === undefined ? '' : `: ${fault.message}`;
      lines.push(`  ${painted(colors, state)}  ${sentence}${why}`);
    });
    lines.push(...impactLines(status));
    for (const refusal of plan.refusals) lines.push(`Not possible: ${refusal}`);
  }
  if (pause !== undefined) lines.push(...pause.faults.map(({ message }) => `Paused: ${message}`));
  return lines;
}

/** What the steps were to change of the measures, and what they changed. */
function impactLines({ plan, found }: ExecutionStatus): string[] {
  if (plan?.impact === undefined || plan.steps.length === 0) return [];
  const { before, predicted } = plan.impact;
  const changes = (after: Measures): string => {
    const changed = Object.keys(after).flatMap((measure) => {
      const difference = formatDifference(before[measure], after[measure]);
      return difference.includes('→') ? [`${measure} ${difference}`] : [];
    });
    return changed.length === 0 ? 'no measure changes' : changed.join(', ');
  };
  return [`Predicted: ${changes(predicted)}`, ...(found === undefined ? [] : [`Found: ${changes(found)}`])];
}

/** As for deployments; a plan in which something asked for cannot be done counts as denied. */
export function executionExitCode({ state, pause, plan }: ExecutionStatus): ExitCode {
  if (pause !== undefined) return ExitCode.paused;
  if (state === 'done' || state === 'planned') {
    const isRefused = plan !== undefined && plan.steps.length === 0 && plan.refusals.length > 0;
    return isRefused ? ExitCode.denied : ExitCode.ok;
  }
  return ExitCode.denied;
}
