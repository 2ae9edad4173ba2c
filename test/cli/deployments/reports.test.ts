import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DOMParser, onErrorStopParsing, type Element } from '@xmldom/xmldom';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import MarkdownIt from 'markdown-it';
import { toDeployReport, type DeployReport, type Learned } from '../../../src/cli/deployments/reports/deploy-report';
import { toJUnit } from '../../../src/cli/deployments/reports/to-junit';
import { toMarkdown } from '../../../src/cli/deployments/reports/to-markdown';
import { withReports } from '../../../src/cli/deployments/reports/write-reports';
import { CliExit, ExitCode } from '../../../src/cli/io';
import { faultsToError, FailureType } from '../../../src/kernel/failures';
import { aDecision, aPause, aStatus } from '../../gate/deployments/a-status';

const TIMES = { startedAtMs: 1_000, endedAtMs: 3_500 };
const reportOf = (learned: Learned, code: ExitCode = ExitCode.ok): DeployReport =>
  toDeployReport({ id: 'd1', ...learned }, { code }, TIMES);

const DENIED = {
  status: aStatus({
    state: 'denied',
    stage: 'fleet',
    stageIndex: 1,
    stages: [
      { name: 'canary', state: 'done', outcome: 'allow' },
      { name: 'fleet', state: 'denied', outcome: 'deny' },
    ],
    lastDecision: aDecision(),
  }),
};
const PAUSED = { status: aStatus({ state: 'paused', pause: aPause(), lastDecision: aDecision({ outcome: 'error' }) }) };

/** As GitHub shows it: HTML is let through, addresses become links. */
const rendered = (report: DeployReport): string =>
  new MarkdownIt({ html: true, linkify: true }).render(toMarkdown(report));

/** Of one testsuite; a document that is not well-formed throws. */
function junit(report: DeployReport) {
  const document = new DOMParser({ onError: onErrorStopParsing }).parseFromString(toJUnit(report), 'text/xml');
  const suite = document.getElementsByTagName('testsuite')[0]!;
  const cases = Array.from(suite.getElementsByTagName('testcase'), (found: Element) => {
    const inner = Array.from(found.childNodes)[0] as Element | undefined;
    return [
      found.getAttribute('name'),
      inner?.tagName ?? 'passed',
      inner?.getAttribute('message') ?? '',
      inner?.textContent ?? '',
    ];
  });
  const count = (name: string): number => Number(suite.getAttribute(name));
  return { cases, counts: [count('tests'), count('failures'), count('errors'), count('skipped')], suite };
}

/** What users and sources may write into ids, stage names, reasons and faults. */
const HOSTILE = [
  '</code><script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '| a | b |\n|---|---|\n| c | d |',
  '![x](https://evil.test/x.png) [y](javascript:alert(1))',
  'https://evil.test www.evil.test ann@evil.test @octocat #1',
  '`` ` `` ```\n# title\n- item\n***',
  '&lt;b&gt; &#60;b&#62; &amp;',
  ']]> <!-- --> <![CDATA[ <?xml?> "\' &',
  '\u001b[31mred\u001b[0m \u0000 \u0007 \r\n \u202e txt.exe \u009b31m',
  '\ud800 lone \udc00 \uffff \ufffe',
];

describe('the reports of gate deploy', () => {
  it('a report of a denial names the stages, the reasons and what was decided', () => {
    const report = reportOf(DENIED, ExitCode.denied);
    const page = rendered(report);
    for (const shown of ['canary', 'fleet', 'denied', 'too many: 3', 'decision-1', 'gate explain d1'])
      expect(page).toContain(shown);
    expect(page.match(/<table>/g)).toHaveLength(2);
    const { cases, counts, suite } = junit(report);
    expect(cases).toEqual([
      ['canary', 'passed', '', ''],
      ['fleet', 'failure', 'Deployment d1, stage fleet: denied', 'too many: 3'],
    ]);
    expect(counts).toEqual([2, 1, 0, 0]);
    expect(suite.getAttribute('time')).toBe('2.500');
  });

  it.each([
    [
      'done',
      { status: aStatus({ state: 'done', stages: [{ name: 'canary', state: 'done' }] }) },
      ExitCode.ok,
      [1, 0, 0, 0],
    ],
    ['not waited for', { stages: ['canary', 'fleet'] }, ExitCode.ok, [2, 0, 0, 2]],
    ['paused', PAUSED, ExitCode.paused, [2, 0, 1, 1]],
    ['still waiting', { status: aStatus({ state: 'waiting' }) }, ExitCode.timeout, [2, 0, 1, 1]],
    ['not answered', { stages: ['canary'] }, ExitCode.timeout, [2, 0, 1, 1]],
    [
      'aborted beyond retention',
      { stages: ['canary'], state: 'aborted', summary: 'it was' },
      ExitCode.denied,
      [2, 1, 0, 1],
    ],
    ['failed without a stage', {}, ExitCode.usage, [1, 0, 1, 0]],
  ] as const)('JUnit is red exactly where the exit code is: %s', (_what, learned, code, counts) => {
    expect(junit(reportOf(learned, code)).counts).toEqual(counts);
  });

  it('a report of an error lists every fault', () => {
    const fault = { type: FailureType.ConfigInvalid, where: 'd.yaml:3', message: 'expected a name' };
    const error = faultsToError([fault, { ...fault, where: 'd.yaml:4' }]);
    const report = toDeployReport({}, { error }, TIMES);
    expect(report).toMatchObject({ code: 2, state: 'error' });
    expect(rendered(report)).toContain('d.yaml:4: expected a name');
    expect(junit(report).cases).toMatchObject([
      ['gate deploy', 'error', expect.anything(), expect.stringContaining('d.yaml:4')],
    ]);
  });

  it.each(HOSTILE.map((text) => [text]))('the text %j is shown in both reports, and does nothing', (text) => {
    const status = aStatus({
      deploymentId: text,
      state: 'paused',
      stage: text,
      stages: [{ name: text, state: 'paused', outcome: text as 'deny' }],
      pause: aPause({ reason: text, faults: [{ type: FailureType.FactInvalid, message: text }] }),
      lastDecision: {
        ...aDecision({ outcome: text as 'deny' }),
        release: { policySha: text, configRev: text, manifestVersion: text },
      },
    });
    const report = toDeployReport({ id: text, status }, { code: ExitCode.paused }, TIMES);
    const page = rendered(report);
    const tags = [...page.matchAll(/<\/?([a-z0-9]+)([^>]*)>/g)];
    expect(tags.map(([, , attributes]) => attributes).join('')).toBe('');
    expect([...new Set(tags.map(([, name]) => name))].sort()).toEqual([
      'code',
      'h3',
      'li',
      'p',
      'table',
      'tbody',
      'td',
      'th',
      'thead',
      'tr',
      'ul',
    ]);
    expect(page.match(/<li>|<table>|<h3>/g)).toHaveLength(4);
    for (const written of [toMarkdown(report), toJUnit(report)]) expect(written).not.toMatch(/[^\P{C}\n]/u);
    expect(junit(report).cases).toHaveLength(1);
  });

  it('a report stays far below what a page takes, however big the deployment is', () => {
    const names = Array.from({ length: 5_000 }, (_, at) => `${'<'.repeat(120)}${at}`);
    const status = aStatus({
      state: 'denied',
      stages: names.map((name) => ({ name, state: 'pending' })),
      lastDecision: aDecision({ denyReasons: names.map((name) => name.repeat(100)) }),
    });
    expect(Buffer.byteLength(toMarkdown(reportOf({ status }, ExitCode.denied)))).toBeLessThan(350_000);
  });
});

describe('writing the reports of gate deploy', () => {
  let folder: string;
  let said: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gate-reports-'));
    said = '';
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const io = (env: NodeJS.ProcessEnv = {}) => ({
    stdout: { write: () => true },
    stderr: { write: (text: string) => (said += text) },
    env,
    cwd: folder,
    signal: new AbortController().signal,
  });
  const summary = () => join(folder, 'summary.md');

  it('the summary is appended, the JUnit report replaces the one before, and the exit code is that of the command', async () => {
    writeFileSync(summary(), 'before');
    writeFileSync(join(folder, 'r.xml'), 'of an earlier run');
    const code = await withReports(io({ GITHUB_STEP_SUMMARY: summary() }), 'r.xml', async (learned) => {
      Object.assign(learned, { id: 'd1', ...DENIED });
      return ExitCode.denied;
    });
    expect([code, said]).toEqual([ExitCode.denied, '']);
    expect(readFileSync(summary(), 'utf8')).toMatch(/^before\n\n### ❌ Deployment <code>d1<\/code>: denied\n/);
    expect(readFileSync(join(folder, 'r.xml'), 'utf8')).toMatch(/^<\?xml [^]*<\/testsuites>\n$/);
    expect(readdirSync(folder).sort()).toEqual(['r.xml', 'summary.md']);
  });

  it('reports are written of a command that fails, which then fails as it would without them', async () => {
    const failing = withReports(io({ GITHUB_STEP_SUMMARY: summary() }), 'r.xml', async () => {
      throw new CliExit(ExitCode.timeout, 'timed out');
    });
    await expect(failing).rejects.toMatchObject({ code: ExitCode.timeout });
    expect(readFileSync(summary(), 'utf8')).toContain('timed out');
    expect(readFileSync(join(folder, 'r.xml'), 'utf8')).toContain('<error message="timed out" type="timeout"/>');
  });

  it.each([
    ['missing/r.xml', 'its folder does not exist'],
    ['.', 'it is a directory'],
  ])('a JUnit report that cannot be written to %s is refused before anything starts', async (path, why) => {
    let started = false;
    const running = withReports(io(), path, async () => {
      started = true;
      return ExitCode.ok;
    });
    await expect(running).rejects.toMatchObject({ code: ExitCode.usage, message: expect.stringContaining(why) });
    expect(started).toBe(false);
  });

  it('a summary that cannot be written, or would grow beyond what GitHub takes, is told and changes nothing', async () => {
    const run = (file: string) => withReports(io({ GITHUB_STEP_SUMMARY: file }), undefined, async () => ExitCode.ok);
    expect(await run(join(folder, 'missing', 'summary.md'))).toBe(ExitCode.ok);
    expect(said).toContain('gate: no step summary: ');
    said = '';
    appendFileSync(summary(), '');
    truncateSync(summary(), 1024 * 1024 - 10);
    expect(await run(summary())).toBe(ExitCode.ok);
    expect(said).toContain('GitHub takes at most 1048576');
    expect(readFileSync(summary())).toHaveLength(1024 * 1024 - 10);
  });
});
