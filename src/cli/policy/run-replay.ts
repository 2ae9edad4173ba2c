import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { AuditRecord } from '../../audit/audit-record';
import { parseAuditQuery } from '../../audit/query';
import { streamRecords } from '../../audit/stream-records';
import type { LoadedSettings } from '../../settings/load-settings';
import { atPointer } from '../../kernel/json-pointer';
import { faultsToError, FailureType, GateError } from '../../kernel/failures';
import type { JsonValue } from '../../kernel/json';
import { checkRelease } from '../../releases/check-release';
import { createEvaluator } from '../../rego/evaluation/evaluator';
import type { LoadedConfig } from '../../releases/sources/release-source';
import { calledBuiltins } from '../../replay/called-builtins';
import { DAMAGED, type Candidate } from '../../replay/rebuild-snapshot';
import { replay, type ReplayFilter, type ReplayItem, type ReplayOptions } from '../../replay/replay';
import type { ReplayClass, ReplayReport } from '../../replay/replay-report';
import { toReplayMarkdown, toReplayText } from '../../replay/report-text';
import { readPieces } from '../../replay/sources/read-pieces';
import type { TextPiece } from '../../replay/text-piece';
import { replayInThreads } from '../../replay/threads/replay-in-threads';
import { CliExit, ExitCode, type CliIo } from '../io';
import { openAudit } from '../open-audit';
import { openNamedRelease } from '../../releases/sources/open-named-release';
import { openLoadedSettings } from '../open-settings';
import { printJson } from '../output';

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

const STORE_BATCH = 500;
const PROGRESS_EVERY_MS = 500;
/** Reading keeps so many busy, and no more. */
const MOST_THREADS = 4;

/**
 * Replays, and prints what was found. @returns whether all is as it was asked to be
 *
 * @throws CliExit 2 when lines of the export are no records, or with `failOn` nothing was replayed; the result is printed
 * before. 4 when it is stopped
 */
export async function runReplay(io: CliIo, options: ReplayCommandOptions): Promise<boolean> {
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
  const { candidate, name } = await openCandidate(io, loaded, options);
  const progress = createProgress(io);
  let report: ReplayReport;
  try {
    const shared = { candidate, filter, maxRows: options.maxRows, onProgress: progress.shown };
    io.signal.throwIfAborted();
    report = await (options.from === undefined
      ? replayStore(io, loaded, shared)
      : replayInThreads(piecesOf(io, options.from), { ...shared, threads: threadCount(), signal: io.signal }));
  } catch (error) {
    throw io.signal.aborted ? new CliExit(ExitCode.timeout, 'stopped before all decisions were looked at') : error;
  } finally {
    progress.end();
  }
  print(io, options.output, report, candidate, name);
  if (report.brokenLines > 0) throw new CliExit(ExitCode.usage, brokenLines(options.from ?? '', report));
  const damaged = report.causes[DAMAGED] ?? 0;
  if (damaged > 0) throw new CliExit(ExitCode.usage, `${damaged} records are damaged, and not in the result`);
  const failed = (options.failOn ?? []).some((one) => report.counts[one] > 0);
  if (failed || report.notReproduced > 0) return false;
  if (options.failOn !== undefined) requireReplayed(report);
  return true;
}

/** A pipeline that asks for a verdict must not take a misspelt stage, or facts that no record holds, for a good one. */
function requireReplayed({ decisions, counts }: ReplayReport): void {
  if (decisions > counts['not-replayable']) return;
  const why = decisions === 0 ? 'no recorded decision matches' : `none of the ${decisions} decisions could be replayed`;
  throw new CliExit(ExitCode.usage, `${why}, so that --fail-on has nothing to go by`);
}

async function openCandidate(
  io: CliIo,
  loaded: LoadedSettings,
  options: ReplayCommandOptions,
): Promise<{ candidate: Candidate; name: string }> {
  const { manifest } = loaded.settings.release;
  const side = await openNamedRelease(loaded, options.policy ?? options.release ?? manifest, options.config, io);
  const config: LoadedConfig = side.config ?? (await configInForce(io, loaded));
  const faults = checkRelease(side.policy, config.config, config.configDocument);
  if (faults.length > 0) throw faultsToError(faults);
  const version = side.version ?? 'candidate';
  const ref = { policySha: side.policy.sha, configRev: config.configRev, manifestVersion: version };
  const { config: release, configDocument } = config;
  const configFacts = Object.entries(release.facts).flatMap(([id, provider]): [string, JsonValue][] => {
    const value = provider.type === 'config' ? atPointer(configDocument, provider.path) : undefined;
    return value === undefined ? [] : [[id, value]];
  });
  const names = [options.policy, options.config].filter((part) => part !== undefined).join(' with ');
  return {
    candidate: {
      release: { ref, policy: side.policy, config: release, configDocument, loadedAtMs: 0 },
      configFacts: Object.fromEntries(configFacts),
    },
    name: names === '' ? `${side.where} (${version})` : names,
  };
}

/** A policy alone is tried with the limits that are in force. */
async function configInForce(io: CliIo, loaded: LoadedSettings): Promise<LoadedConfig> {
  const { config } = await openNamedRelease(loaded, loaded.settings.release.manifest, undefined, io);
  if (config) return config;
  throw new GateError(FailureType.ConfigInvalid, 'Expected --config, because no manifest names a configuration');
}

function threadCount(): number {
  return Math.min(Math.max(availableParallelism(), 1), MOST_THREADS);
}

function piecesOf(io: CliIo, from: string): AsyncIterable<TextPiece> {
  return from === '-'
    ? readPieces(process.stdin, 'standard input', io.signal)
    : readPieces(resolve(io.cwd, from), from, io.signal);
}

/** What a store gives is records already, and slower than their evaluation: one thread for that is enough. */
async function replayStore(
  io: CliIo,
  loaded: LoadedSettings,
  options: Omit<ReplayOptions, 'evaluate' | 'builtinsOf'>,
): Promise<ReplayReport> {
  const { memoryMiB } = options.candidate.release.config.evaluation;
  const evaluator = createEvaluator({ threads: 1, memoryMiB });
  // Calls that are out fail with it, and so does the replay.
  const stop = (): void => void evaluator.close();
  io.signal.addEventListener('abort', stop, { once: true });
  const reader = await openAudit(io, loaded);
  try {
    return await replay(
      inBatches(streamRecords(reader, { ...options.filter, domain: 'gate', kind: 'decision', newestFirst: false })),
      {
        ...options,
        evaluate: (request) => evaluator.evaluate(request),
        builtinsOf: calledBuiltins,
      },
    );
  } finally {
    io.signal.removeEventListener('abort', stop);
    await reader.close();
    await evaluator.close();
  }
}

async function* inBatches(records: AsyncIterable<AuditRecord>): AsyncGenerator<readonly ReplayItem[], void, undefined> {
  let batch: ReplayItem[] = [];
  for await (const record of records) {
    batch.push({ record });
    if (batch.length < STORE_BATCH) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}

function createProgress(io: CliIo): { shown(items: number): void; end(): void } {
  if (io.stderr.isTTY !== true) return { shown: () => undefined, end: () => undefined };
  const startMs = Date.now();
  let lastMs = startMs;
  return {
    shown: (items) => {
      const nowMs = Date.now();
      if (nowMs - lastMs < PROGRESS_EVERY_MS) return;
      lastMs = nowMs;
      io.stderr.write(`\r${items} records, ${Math.round((items / (nowMs - startMs)) * 1000)} a second\u001b[K`);
    },
    end: () => void (lastMs === startMs || io.stderr.write('\r\u001b[K')),
  };
}

function print(
  io: CliIo,
  output: ReplayCommandOptions['output'],
  report: ReplayReport,
  { release }: Candidate,
  name: string,
): void {
  if (output === 'text') return void io.stdout.write(toReplayText(report, name));
  if (output === 'markdown') return void io.stdout.write(toReplayMarkdown(report, name));
  const { decisions, skipped, counts, notReproduced, reasons, causes, rows } = report;
  printJson(io, {
    candidate: { release: name, policy_sha: release.ref.policySha, config_rev: release.ref.configRev },
    decisions,
    skipped,
    same: counts.same,
    newly_allowed: counts['newly-allowed'],
    newly_denied: counts['newly-denied'],
    changed: counts.changed,
    not_replayable: counts['not-replayable'],
    not_reproduced: notReproduced,
    reasons,
    causes,
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
