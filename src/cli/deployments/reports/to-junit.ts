import { shortText } from '../../../kernel/short-text';
import { visibleText } from '../../../kernel/visible-text';
import type { StageProgress } from '../../../gate/deployments/deployment-state';
import { ExitCode } from '../../io';
import { wellFormed, type DeployReport } from './deploy-report';

const MAX_CHARS = 2_000;

interface Verdict {
  element?: 'failure' | 'error' | 'skipped';
  type?: string;
  message?: string;
  lines?: readonly string[];
}

/**
 * JUnit's XML as GitLab, GitHub's actions and Jenkins read it: a suite for the deployment, a case for each stage. A command
 * that ends with another exit code than 0 has a failure (the gate or an operator said no) or an error (nobody could say) in
 * it, so that a page of tests never shows green what the pipeline shows red.
 */
export function toJUnit(report: DeployReport): string {
  const { id, startedAtMs, endedAtMs } = report;
  const cases = casesOf(report);
  const count = (element: Verdict['element']): number =>
    cases.filter(([, verdict]) => verdict.element === element).length;
  const seconds = (Math.max(0, endedAtMs - startedAtMs) / 1000).toFixed(3);
  const counts = `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}"`;
  const suite = id === undefined ? 'gate' : `gate: ${id}`;
  const time = new Date(startedAtMs).toISOString().replace(/\.\d+Z$/, '');
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts.replace(/ skipped=.*/, '')} time="${seconds}">`,
    `  <testsuite name="${escaped(suite)}" ${counts} time="${seconds}" timestamp="${time}">`,
    ...cases.map(([name, verdict]) => `    ${caseText(suite, name, verdict)}`),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

/** Where no stage tells of the failure, the command itself does. */
function casesOf(report: DeployReport): [name: string, Verdict][] {
  const cases = report.stages.map((stage): [string, Verdict] => [stage.name, verdictOf(stage, report)]);
  const tells = cases.some(([, { element }]) => element === 'failure' || element === 'error');
  if (cases.length > 0 && (report.code === ExitCode.ok || tells)) return cases;
  return [...cases, ['gate deploy', failed(report)]];
}

function verdictOf(stage: StageProgress, report: DeployReport): Verdict {
  if (stage.state === 'done') return {};
  if (stage.name === report.stage && report.code !== ExitCode.ok) return failed(report);
  return { element: 'skipped', message: stage.state };
}

function failed({ code, state, summary, why }: DeployReport): Verdict {
  if (code === ExitCode.ok) return state === 'running' ? { element: 'skipped', message: summary } : {};
  const element = code === ExitCode.denied ? 'failure' : 'error';
  return { element, type: code === ExitCode.timeout ? 'timeout' : state, message: summary, lines: why };
}

function caseText(suite: string, name: string, { element, type, message, lines = [] }: Verdict): string {
  const open = `<testcase classname="${escaped(suite)}" name="${escaped(name)}" time="0"`;
  if (element === undefined) return `${open}/>`;
  const attributes = Object.entries({ message, type })
    .map(([key, value]) => (value === undefined ? '' : ` ${key}="${escaped(value)}"`))
    .join('');
  const body = lines.map(escaped).join('\n');
  return `${open}><${element}${attributes}${body === '' ? '/>' : `>${body}</${element}>`}</testcase>`;
}

const REFERENCES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** As text or as a value between quotes. What XML 1.0 has no characters for (section 2.2) is shown or replaced. */
function escaped(text: string): string {
  const visible = wellFormed(visibleText(shortText(text, MAX_CHARS))).replace(/[\uFFFE\uFFFF]/g, '\uFFFD');
  return visible.replace(/[&<>"']/g, (character) => REFERENCES[character] ?? character);
}
