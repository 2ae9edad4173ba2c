import { shortText } from '../../../kernel/short-text';
import { visibleText } from '../../../kernel/visible-text';
import { ExitCode } from '../../io';
import { wellFormed, type DeployReport } from './deploy-report';

const MARKS: Readonly<Record<ExitCode, string>> = {
  [ExitCode.ok]: '✅',
  [ExitCode.denied]: '❌',
  [ExitCode.usage]: '⚠️',
  [ExitCode.paused]: '⏸️',
  [ExitCode.timeout]: '⌛',
};

const MAX_STAGES = 200;
const MAX_CHARS = 2_000;

/**
 * A section of a page in GitHub's Markdown. Whatever the texts hold, they are shown and do nothing: no markup, no link, no
 * mention, no image. Bounded: at most about 300 KB, however big the deployment is.
 */
export function toMarkdown(report: DeployReport): string {
  const { id, code, summary, stages, why, decision } = report;
  const title = id === undefined ? 'Deployment gate' : `Deployment ${asCode(id)}`;
  const shown = stages.slice(0, MAX_STAGES);
  return [
    `### ${MARKS[code]} ${title}: ${inert(report.state)}`,
    '',
    asCode(summary),
    ...section(shown.length > 0, [
      '| stage | state | decision |',
      '|---|---|---|',
      ...shown.map(({ name, state, outcome }) => `| ${asCode(name)} | ${inert(state)} | ${inert(outcome ?? '')} |`),
      ...(stages.length > shown.length ? ['', `and ${stages.length - shown.length} more stages`] : []),
    ]),
    ...section(why.length > 0, [
      ...[report.stage === undefined ? 'Why:' : `Why, at stage ${asCode(report.stage)}:`, ''],
      ...why.map((reason) => `- ${asCode(reason)}`),
    ]),
    ...section(decision.length > 0, [
      '| | |',
      '|---|---|',
      ...decision.map(([name, value]) => `| ${name} | ${asCode(value)} |`),
    ]),
    ...section(id !== undefined && code !== ExitCode.ok, [
      `${asCode(`gate explain ${id}`)} says what would unblock it, ${asCode(`gate audit list --deployment ${id}`)} what was decided.`,
    ]),
    '',
  ].join('\n');
}

function section(isWanted: boolean, lines: readonly string[]): readonly string[] {
  return isWanted ? ['', ...lines] : [];
}

/** GitHub looks for mentions and issue numbers in the finished page, but not inside of code. */
function asCode(text: string): string {
  return `<code>${inert(text)}</code>`;
}

/**
 * The text, with a numeric reference for every character that could mean something to Markdown or HTML: a reference is text
 * wherever it stands (CommonMark, section 2.5).
 */
function inert(text: string): string {
  const visible = wellFormed(visibleText(shortText(text, MAX_CHARS)));
  return visible.replace(/[^\p{L}\p{N} ]/gu, (character) => `&#${character.codePointAt(0)};`);
}
