import { FailureType } from '../../kernel/failures';
import type { DeploymentStatus } from './deployment-state';
import { explain } from './explain';

/** Stages that are listed at most. */
const MAX_STAGES = 50;

/** The Markdown that the Temporal UI shows as current details. It repeats the title, which continue-as-new loses. */
export function currentDetails(status: DeploymentStatus, notes: readonly string[]): string {
  const explanation = explain(status, notes);
  const lines = [`**${escape(explanation.summary)}**`, ''];
  for (const stage of aroundPresent(status)) {
    const { outcome } = stage;
    lines.push(`- ${escape(stage.name)}: ${stage.state}${outcome === undefined ? '' : ` (${outcome})`}`);
  }
  if (status.stages.length > MAX_STAGES)
    lines.push(`- ${MAX_STAGES} of ${status.stages.length} stages; \`gate status\` lists all`);
  section(lines, 'Why', explanation.why);
  if (explanation.facts.length > 0) {
    lines.push('', '| fact | value | age | max age | source |', '|---|---|---|---|---|');
    for (const fact of explanation.facts) {
      const maxAge = fact.maxAgeMs === undefined ? 'none' : `${fact.maxAgeMs} ms`;
      lines.push(`| ${cell(fact.id)} | ${cell(fact.value)} | ${fact.ageMs} ms | ${maxAge} | ${cell(fact.source)} |`);
    }
  }
  section(lines, 'What would unblock it', explanation.unblock);
  for (const { signals, meantFor } of usefulSignals(status)) {
    lines.push(
      '',
      `From this page: send the signal ${signals.map((name) => `\`${name}\``).join(' or ')} with`,
      '```json',
    );
    lines.push(JSON.stringify({ actor: 'YOU', reason: 'WHY', for: meantFor }), '```');
  }
  if (explanation.nextAskAtMs !== undefined)
    lines.push('', `Asks again at ${new Date(explanation.nextAskAtMs).toISOString()}`);
  if (explanation.looks !== undefined) lines.push('', ...explanation.looks.map(escape));
  section(lines, 'Not accepted', explanation.notes);
  return lines.join('\n');
}

/** The stages that are listed: all of them, or those beside the present one. */
function aroundPresent({ stages, stageIndex }: DeploymentStatus): DeploymentStatus['stages'] {
  const first = Math.max(0, Math.min(stageIndex - MAX_STAGES / 2, stages.length - MAX_STAGES));
  return stages.slice(first, first + MAX_STAGES);
}

/** The signals that would be accepted now, by what they must be meant for. */
function usefulSignals({
  state,
  hold,
  pause,
  lastDecision,
}: DeploymentStatus): { signals: string[]; meantFor: string }[] {
  const isOutage = pause?.reason === FailureType.AuditWriteFailed;
  const onPause = isOutage ? ['abort'] : ['resume', 'abort'];
  if (hold) return [{ signals: onPause, meantFor: hold.id }];
  const useful: { signals: string[]; meantFor: string }[] = [];
  if (state === 'paused' && pause) useful.push({ signals: onPause, meantFor: pause.id });
  if (lastDecision && !isOutage && state === 'waiting')
    useful.push({ signals: ['override', 'abort'], meantFor: lastDecision.decisionId });
  if (lastDecision && !isOutage && pause?.reason !== FailureType.ActionFailed && state === 'paused')
    useful.push({ signals: ['override'], meantFor: lastDecision.decisionId });
  return useful;
}

function section(lines: string[], title: string, items: readonly string[]): void {
  if (items.length === 0) return;
  lines.push('', `${title}:`, ...items.map((item) => `- ${escape(item)}`));
}

function escape(text: string): string {
  return text.replace(/[\\`*_<>[\]]/g, (character) => `\\${character}`).replace(/\s+/g, ' ');
}

function cell(text: string): string {
  return escape(text).replace(/\|/g, '\\|');
}
