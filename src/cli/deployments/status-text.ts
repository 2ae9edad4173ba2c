import {
  isFinal,
  type DeploymentStatus,
  type Explanation,
  type GateState,
} from '../../gate/deployments/deployment-state';
import type { AuditRecord } from '../../audit/audit-record';
import { placeOf } from '../../audit/place';
import { faultText } from '../../kernel/fault-text';
import { formatDuration } from '../../kernel/duration';
import { explain, looksOf, summarise } from '../../gate/deployments/explain';
import { holdText } from '../../gate/deployments/hold';
import { ExitCode, type CliIo } from '../io';
import { colorsFor, formatAge, painted } from '../output';

/** 0 running or done, 3 paused, 1 for every other end. */
export function exitCodeOf(state: GateState): ExitCode {
  if (state === 'paused') return ExitCode.paused;
  return isFinal(state) && state !== 'done' ? ExitCode.denied : ExitCode.ok;
}

export function statusLines(io: CliIo, status: DeploymentStatus, nowMs: number): string[] {
  const colors = colorsFor(io);
  const lines = [colors.bold(summarise(status))];
  for (const stage of status.stages) {
    const { outcome } = stage;
    lines.push(
      `  ${stage.name}: ${painted(colors, stage.state)}${outcome === undefined ? '' : ` (${painted(colors, outcome)})`}`,
    );
  }
  if (status.hold && !isFinal(status.state)) {
    const { id, startedAtMs } = status.hold;
    const who = `paused ${holdText(status.hold)}`;
    const isSaid = summarise(status).includes(who);
    lines.splice(
      1,
      0,
      ...(isSaid ? [] : [`To be ${who}`]),
      `Pause ${id}, asked for ${formatAge(startedAtMs, nowMs)} ago`,
    );
  }
  if (status.pause && status.state === 'paused') {
    lines.push(`Paused for ${formatAge(status.pause.startedAtMs, nowMs)}, pause ${status.pause.id}`);
    for (const fault of status.pause.faults) lines.push(`  ${faultText(fault)}`);
  }
  if (status.state === 'waiting' || status.state === 'denied') {
    const { why } = explain(status, []);
    const isSaid = status.state === 'denied' && status.endReason === why.join('; ');
    if (!isSaid) lines.push(...why.map((reason) => `  denied: ${reason}`));
  }
  for (const { stage, state, pausedOn, pauseId } of status.openStages ?? []) {
    if (stage === status.stage || (state !== 'paused' && state !== 'waiting')) continue;
    const why = pausedOn === undefined ? '' : ` on ${pausedOn}, pause ${pauseId}`;
    lines.push(`Also open: ${stage} is ${state}${why} (--stage ${stage})`);
  }
  if (status.nextAskAtMs !== undefined) lines.push(`Asks again at ${new Date(status.nextAskAtMs).toISOString()}`);
  lines.push(...looksOf(status));
  return lines.map(oneLine);
}

/** What others wrote must not look like a line of ours. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]\s*/g, ' ');
}

export function explanationLines(io: CliIo, explanation: Explanation): string[] {
  const colors = colorsFor(io);
  const lines = [colors.bold(explanation.summary)];
  const list = (title: string, items: readonly string[]): void => {
    if (items.length > 0) lines.push('', `${title}:`, ...items.map((item) => `  ${item}`));
  };
  list('Why', explanation.why);
  list('Would deny, if what was missing did not count', explanation.wouldDeny ?? []);
  list(
    'Facts',
    explanation.facts.map((fact) => {
      const maxAge = fact.maxAgeMs === undefined ? '' : ` (max age ${formatDuration(fact.maxAgeMs)})`;
      return `${fact.id} = ${fact.value}, ${formatDuration(fact.ageMs)} old at the decision${maxAge}, from ${fact.source}`;
    }),
  );
  list('What would unblock it', explanation.unblock);
  if (explanation.nextAskAtMs !== undefined)
    lines.push('', `Asks again at ${new Date(explanation.nextAskAtMs).toISOString()}`);
  list('Looks', explanation.looks ?? []);
  list('Not accepted', explanation.notes);
  return lines.map(oneLine);
}

/** Who did what, a line each; nothing without records. */
export function recordLines(records: readonly AuditRecord[]): string[] {
  if (records.length === 0) return [];
  const rows = records.map((record) => {
    const { timestamp, actor, kind, reason, details } = record;
    const { part } = placeOf(record);
    const outcome = typeof details?.outcome === 'string' ? ` ${details.outcome}` : '';
    const at = timestamp.replace('T', ' ').replace(/\.\d+Z$/, 'Z');
    const what = `${kind}${part === '' ? '' : ` ${part}`}${outcome}${reason === undefined ? '' : `: ${reason}`}`;
    return `  ${at}  ${actor}  ${what}`;
  });
  return ['', 'Who did what:', ...rows].map(oneLine);
}
