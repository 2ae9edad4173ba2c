import { visibleText } from '../kernel/visible-text';
import { ReplayClass, type KeptRows, type ReplayReport, type ReplayRow } from './replay-report';

const TITLES: Record<KeptRows, string> = {
  'not-reproduced': 'Not reproduced by the very release that made them',
  'newly-allowed': 'Newly allowed',
  'newly-denied': 'Newly denied',
  changed: 'Otherwise changed',
  'evaluator-changed': 'Otherwise only for what the evaluators of this version note',
};
const ORDER: readonly KeptRows[] = ['not-reproduced', 'newly-allowed', 'newly-denied', 'changed', 'evaluator-changed'];

/** What a replay found, for a terminal. */
export function toReplayText(report: ReplayReport, candidate: string): string {
  const { counts, rows } = report;
  const sections = ORDER.flatMap((kind) => {
    if (rows[kind].length === 0) return [];
    const lines = rows[kind].flatMap((row) => [
      `  ${visibleText(place(row))}`,
      `    was  ${visibleText(then(row))}`,
      `    now  ${visibleText(now(row))}`,
      ...whyLines(row),
    ]);
    return [[`${TITLES[kind]}: ${countOf(report, kind)}`, ...lines, ...more(report, kind)].join('\n')];
  });
  return `${[
    [
      `${plural(report.decisions, 'decision')} put to ${visibleText(candidate)}`,
      `  the same          ${counts.same}`,
      `  newly allowed     ${counts['newly-allowed']}`,
      `  newly denied      ${counts['newly-denied']}`,
      `  changed           ${counts.changed}`,
      `  evaluator changed ${counts['evaluator-changed']}`,
      `  not replayable    ${counts['not-replayable']}`,
      ...recheckLines(report).map((line) => `  ${line}`),
    ].join('\n'),
    ...sections,
    list(
      'Reasons, by code',
      reasonLines(report).map(([code, was, is]) => `${visibleText(code)}: ${was} then, ${is} now`),
    ),
    list(
      'Not replayable, because',
      causeLines(report).map(([cause, count]) => `${visibleText(cause)}: ${count}`),
    ),
  ]
    .filter((section) => section !== '')
    .join('\n\n')}\n`;
}

/** The same for a comment on a pull request. */
export function toReplayMarkdown(report: ReplayReport, candidate: string): string {
  const { counts, rows } = report;
  const sections = ORDER.flatMap((kind) => {
    if (rows[kind].length === 0) return [];
    const table = rows[kind].map((row) =>
      [row.deploymentID, row.stage, row.timestamp, then(row), [now(row), ...whyLines(row)].join(' ')]
        .map(cell)
        .join(' | '),
    );
    return [
      [
        `#### ${TITLES[kind]}: ${countOf(report, kind)}`,
        '',
        '| deployment | stage | time | was | now |',
        '|---|---|---|---|---|',
        ...table.map((row) => `| ${row} |`),
        ...more(report, kind).map((line) => `\n${line.trim()}`),
      ].join('\n'),
    ];
  });
  const reasons = reasonLines(report);
  const causes = causeLines(report);
  return `${[
    `### Replay of ${plural(report.decisions, 'decision')} against ${cell(candidate)}`,
    [
      '| the same | newly allowed | newly denied | changed | evaluator changed | not replayable |',
      '|---|---|---|---|---|---|',
      `| ${Object.values(ReplayClass)
        .map((name) => counts[name])
        .join(' | ')} |`,
    ].join('\n'),
    ...recheckLines(report),
    ...sections,
    reasons.length === 0
      ? ''
      : ['| reason | then | now |', '|---|---|---|', ...reasons.map((row) => `| ${row.map(cell).join(' | ')} |`)].join(
          '\n',
        ),
    causes.length === 0
      ? ''
      : [
          '| not replayable, because | decisions |',
          '|---|---|',
          ...causes.map((row) => `| ${row.map(cell).join(' | ')} |`),
        ].join('\n'),
  ]
    .filter((section) => section !== '')
    .join('\n\n')}\n`;
}

const place = ({ deploymentID, stage, timestamp, decisionID }: ReplayRow): string =>
  `${deploymentID} / ${stage}  ${timestamp}  ${decisionID.slice(0, 8)}`;
const then = ({ oldOutcome, oldReasons }: ReplayRow): string => [oldOutcome, ...reasonsText(oldReasons)].join(': ');
const now = ({ newOutcome, newReasons }: ReplayRow): string => [newOutcome, ...reasonsText(newReasons)].join(': ');
const reasonsText = (reasons: readonly string[]): string[] => (reasons.length > 0 ? [reasons.join('; ')] : []);

function whyLines({ builtins: called, oldEvaluators }: ReplayRow): string[] {
  const evaluators = oldEvaluators === undefined ? [] : [`    by   ${visibleText(oldEvaluators.join(', '))}`];
  if (called === undefined) return evaluators;
  const which =
    called.length > 0
      ? `the record was altered, or one of the built-ins that it calls answers differently: ${called.join(', ')}`
      : 'the record was altered, or the evaluation itself differs: it calls no built-in';
  return [...evaluators, `    why  ${which}`];
}

function recheckLines({ rechecks }: ReplayReport): string[] {
  return rechecks === 0 ? [] : [`Left out: ${plural(rechecks, 'recheck')} of earlier releases`];
}

function countOf(report: ReplayReport, kind: KeptRows): number {
  return kind === 'not-reproduced' ? report.notReproduced : report.counts[kind];
}

function more(report: ReplayReport, kind: KeptRows): string[] {
  const left = countOf(report, kind) - report.rows[kind].length;
  return left > 0 ? [`  and ${left} more (--max-rows shows more)`] : [];
}

function reasonLines({ reasons }: ReplayReport): [string, string, string][] {
  return Object.entries(reasons)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([code, { then: was, now: is }]) => [code, String(was), String(is)]);
}

function causeLines({ causes }: ReplayReport): [string, string][] {
  return Object.entries(causes)
    .sort(([, one], [, other]) => other - one)
    .map(([cause, count]) => [cause, String(count)]);
}

const list = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : [`${title}:`, ...lines.map((line) => `  ${line}`)].join('\n');

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

/** A cell of a table is one line, and must not end early; a name after an @ would be sent a notification. */
const cell = (text: string): string =>
  visibleText(text.replace(/\s+/g, ' '))
    .replace(/[|\\<>`*_~&[\]]/g, '\\$&')
    .replaceAll('@', '@\u200b')
    .trim();
