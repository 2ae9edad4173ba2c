import { parseAuditQuery } from '../../audit/query';
import { DAMAGED } from '../../replay/rebuild-snapshot';
import type { ReplayFilter } from '../../replay/replay';
import type { ReplayClass, ReplayReport } from '../../replay/replay-report';
import { toReplayMarkdown, toReplayText } from '../../replay/report-text';
import { replayRelease, type ReplayExport, type ReplayResult } from '../../replay/run/replay-release';
import { CliExit, ExitCode, type CommandIo } from '../io';
import { quoted } from '../command-json';
import { CommandFailureType, notFound } from '../exit';
import { openLoadedSettings } from '../open-settings';
import { warningNote } from './publish';
import { printJson } from '../output';
import { controlSequence } from '../../platform/observability/terminal';

export type FailOn = Exclude<ReplayClass, typeof ReplayClass.same>;

export interface ReplayCommandOptions {
  policy?: string;
  config?: string;
  release?: string;
  from?: string;
  since?: string;
  until?: string;
  stage?: string;
  deployment?: string;
  outcome?: string;
  failOn?: FailOn[];
  maxRows: number;
  output: 'text' | 'json' | 'markdown';
  settings?: string;
}

const PROGRESS_EVERY_MS = 500;

/**
 * Replays, and prints what was found. @returns whether all is as it was asked to be
 *
 * @throws CliExit 2 when lines of the export are no records, or with `failOn` nothing was replayed; the result is printed
 * before. 4 when it is stopped
 */
export async function runReplay(io: CommandIo, options: ReplayCommandOptions): Promise<boolean> {
  const loaded = await openLoadedSettings(io, options.settings);
  const filter: ReplayFilter = parseAuditQuery(
    {
      deploymentID: options.deployment,
      stage: options.stage,
      outcome: options.outcome,
      since: options.since,
      until: options.until,
    },
    Date.now(),
  );
  const progress = createProgress(io);
  const { from, policy, config, release, maxRows } = options;
  let result: ReplayResult;
  try {
    result = await replayRelease({
      settings: loaded,
      candidate: { policy, config, release },
      ...(from === undefined ? {} : { from: exportOf(from) }),
      filter,
      maxRows,
      onProgress: progress.shown,
      signal: io.signal,
      env: io.env,
      cwd: io.cwd,
    });
  } catch (error) {
    throw io.signal.aborted ? new CliExit(ExitCode.timeout, 'stopped before all decisions were looked at') : error;
  } finally {
    progress.end();
  }
  const { report } = result;
  print(io, options.output, result);
  if (from !== undefined && !holdsAny(report))
    warningNote(io)(`${exportOf(from).name} holds no record, so no decision was replayed`);
  if (report.brokenLines > 0) throw new CliExit(ExitCode.usage, brokenLines(options.from ?? '', report));
  const damaged = report.causes[DAMAGED] ?? 0;
  if (damaged > 0)
    throw new CliExit(
      ExitCode.usage,
      `${damaged} records are damaged, and not in the result`,
      CommandFailureType.Unexpected,
    );
  const failed = (options.failOn ?? []).some((one) => report.counts[one] > 0);
  if (failed || report.notReproduced > 0) return false;
  if (options.failOn !== undefined) requireReplayed(report);
  return true;
}

function exportOf(from: string): ReplayExport {
  return from === '-' ? { input: process.stdin, name: 'standard input' } : { input: from, name: from };
}

function holdsAny({ decisions, skipped, rechecks, brokenLines }: ReplayReport): boolean {
  return decisions + skipped + rechecks + brokenLines > 0;
}

/** A pipeline that asks for a verdict must not take a misspelt stage, or facts that no record holds, for a good one. */
function requireReplayed({ decisions, counts }: ReplayReport): void {
  if (decisions > counts['not-replayable']) return;
  const why = decisions === 0 ? 'no recorded decision matches' : `none of the ${decisions} decisions could be replayed`;
  throw notFound(`${why}, so that --fail-on has nothing to go by`);
}

function createProgress(io: CommandIo): { shown(items: number): void; end(): void } {
  if (io.stderr.isTTY !== true) return { shown: () => undefined, end: () => undefined };
  const startMs = Date.now();
  let lastMs = startMs;
  return {
    shown: (items) => {
      const nowMs = Date.now();
      if (nowMs - lastMs < PROGRESS_EVERY_MS) return;
      lastMs = nowMs;
      io.stderr.write(
        `${controlSequence('[G')}${items} records, ${Math.round((items / (nowMs - startMs)) * 1000)} a second${controlSequence('[K')}`,
      );
    },
    end: () => void (lastMs === startMs || io.stderr.write(controlSequence('[G') + controlSequence('[K'))),
  };
}

function print(
  io: CommandIo,
  output: ReplayCommandOptions['output'],
  { report, candidate: { name, ref } }: ReplayResult,
): void {
  if (output === 'text') return void io.stdout.write(toReplayText(report, name));
  if (output === 'markdown') return void io.stdout.write(toReplayMarkdown(report, name));
  const { decisions, skipped, rechecks, counts, notReproduced, reasons, causes, rows } = report;
  printJson(io, {
    candidate: { release: name, policy_sha: ref.policySha, config_rev: ref.configRev },
    decisions,
    skipped,
    rechecks,
    same: counts.same,
    newly_allowed: counts['newly-allowed'],
    newly_denied: counts['newly-denied'],
    changed: counts.changed,
    evaluator_changed: counts['evaluator-changed'],
    not_replayable: counts['not-replayable'],
    not_reproduced: notReproduced,
    reasons: quoted(reasons),
    causes: quoted(causes),
    rows: Object.fromEntries(
      Object.entries(rows).map(([kind, kept]) => [
        kind.replaceAll('-', '_'),
        kept.map((row) => ({
          decision_id: row.decisionID,
          deployment_id: row.deploymentID,
          stage: row.stage,
          timestamp: row.timestamp,
          old_outcome: row.oldOutcome,
          old_reasons: row.oldReasons,
          new_outcome: row.newOutcome,
          new_reasons: row.newReasons,
          ...(row.builtins ? { builtins: row.builtins } : {}),
          ...(row.oldEvaluators ? { old_evaluators: row.oldEvaluators } : {}),
        })),
      ]),
    ),
  });
}

function brokenLines(from: string, { brokenLines: count, broken }: ReplayReport): string {
  const lines = broken.map(({ line, why }) => `  ${from}:${line}: ${why}`);
  const left = count - broken.length;
  return [
    `${count} line${count === 1 ? ' is' : 's are'} no audit record, and not in the result:`,
    ...lines,
    ...(left > 0 ? [`  and ${left} more`] : []),
  ].join('\n');
}
