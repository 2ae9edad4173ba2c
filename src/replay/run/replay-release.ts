import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { AuditRecord } from '../../audit/audit-record';
import { openAudit } from '../../audit/stores/open-audit';
import { streamRecords } from '../../audit/stream-records';
import { faultsToError, FailureType, GateError } from '../../kernel/failures';
import type { JsonValue } from '../../kernel/json';
import { atPointer } from '../../kernel/json-pointer';
import { createEvaluator } from '../../rego/evaluation/evaluator';
import { checkRelease } from '../../releases/check-release';
import type { ReleaseRef } from '../../releases/release-ref';
import { openNamedRelease, type Surroundings } from '../../releases/sources/open-named-release';
import type { LoadedConfig } from '../../releases/sources/release-source';
import type { LoadedSettings } from '../../settings/load-settings';
import { calledBuiltins } from './called-builtins';
import type { Candidate } from '../rebuild-snapshot';
import { replay, type ReplayFilter, type ReplayItem, type ReplayOptions } from '../replay';
import type { ReplayReport } from '../replay-report';
import { readPieces } from '../sources/read-pieces';
import { replayInThreads } from '../threads/replay-in-threads';

const STORE_BATCH = 500;
/** Reading keeps so many busy, and no more. */
const MOST_THREADS = 4;

/** Which release past decisions are put to. What is not named comes from the manifest of the settings. */
export interface ReplayCandidate {
  /** a policy folder or a bundle; a path, file:// or s3:// */
  policy?: string;
  /** file of a release configuration */
  config?: string;
  /** a whole release, by its manifest, in place of the other two */
  release?: string;
}

/** An export of the audit log (JSON lines, lists, events), or a decision log of OPA's; it may be compressed by gzip. */
export interface ReplayExport {
  /** a path, or its bytes */
  input: string | Readable;
  /** for messages */
  name: string;
}

/** Past decisions and the release that they are put to. */
export interface ReplayRequest extends Surroundings {
  /** say where the audit store and the manifest are */
  settings: LoadedSettings;
  /** the release that decides now */
  candidate: ReplayCandidate;
  /** an export to read; @default the audit store of the settings */
  from?: ReplayExport;
  /** which decisions are replayed */
  filter: ReplayFilter;
  /** decisions kept of a kind; the counts hold all */
  maxRows: number;
  /** told how many records were looked at so far */
  onProgress?(items: number): void;
  /** ends the replay with an error */
  signal: AbortSignal;
}

/** What a release would have decided in the past. */
export interface ReplayResult {
  /** the counts, and the decisions that would be others */
  report: ReplayReport;
  /** the release that decided */
  candidate: {
    /** for people */
    name: string;
    /** its digests */
    ref: ReleaseRef;
  };
}

/**
 * Puts recorded decisions to a release, with the facts and at the time of each, and tells which ones would be others now.
 *
 * @throws GateError with every fault of the candidate, AuditUnavailable; an error when `signal` ended it
 */
export async function replayRelease(request: ReplayRequest): Promise<ReplayResult> {
  const { filter, maxRows, onProgress, from, signal, cwd } = request;
  const { candidate, name } = await openCandidate(request);
  const shared = { candidate, filter, maxRows, onProgress };
  signal.throwIfAborted();
  const report = await (from === undefined
    ? replayStore(request, shared)
    : replayInThreads(
        readPieces(typeof from.input === 'string' ? resolve(cwd, from.input) : from.input, from.name, signal),
        { ...shared, threads: threadCount(), signal },
      ));
  return { report, candidate: { name, ref: candidate.release.ref } };
}

async function openCandidate({
  settings: loaded,
  candidate: wanted,
  ...where
}: ReplayRequest): Promise<{ candidate: Candidate; name: string }> {
  const { manifest } = loaded.settings.release;
  const side = await openNamedRelease(loaded, wanted.policy ?? wanted.release ?? manifest, wanted.config, where);
  const config: LoadedConfig = side.config ?? (await configInForce(loaded, where));
  const faults = checkRelease(side.policy, config.config, config.configDocument);
  if (faults.length > 0) throw faultsToError(faults);
  const version = side.version ?? 'candidate';
  const ref = { policySha: side.policy.sha, configRev: config.configRev, manifestVersion: version };
  const { config: release, configDocument } = config;
  const configFacts = Object.entries(release.facts).flatMap(([id, provider]): [string, JsonValue][] => {
    const value = provider.type === 'config' ? atPointer(configDocument, provider.path) : undefined;
    return value === undefined ? [] : [[id, value]];
  });
  const names = [wanted.policy, wanted.config].filter((part) => part !== undefined).join(' with ');
  return {
    candidate: {
      release: { ref, policy: side.policy, config: release, configDocument, loadedAtMs: 0 },
      configFacts: Object.fromEntries(configFacts),
    },
    name: names === '' ? `${side.where} (${version})` : names,
  };
}

/** A policy alone is tried with the limits that are in force. */
async function configInForce(loaded: LoadedSettings, where: Surroundings): Promise<LoadedConfig> {
  const { config } = await openNamedRelease(loaded, loaded.settings.release.manifest, undefined, where);
  if (config) return config;
  throw new GateError(FailureType.ConfigInvalid, 'Expected --config, because no manifest names a configuration');
}

function threadCount(): number {
  return Math.min(Math.max(availableParallelism(), 1), MOST_THREADS);
}

/** What a store gives is records already, and slower than their evaluation: one thread for that is enough. */
async function replayStore(
  { settings, env, signal }: ReplayRequest,
  options: Omit<ReplayOptions, 'evaluate' | 'builtinsOf'>,
): Promise<ReplayReport> {
  const { memoryMiB } = options.candidate.release.config.evaluation;
  const evaluator = createEvaluator({ threads: 1, memoryMiB });
  // Calls that are out fail with it, and so does the replay.
  const stop = (): void => void evaluator.close();
  signal.addEventListener('abort', stop, { once: true });
  const reader = await openAudit(settings, env);
  // Whether a decision of an earlier release was a recheck follows from the records around it, so all are read.
  const { outcome: _ofDecisions, ...range } = options.filter;
  try {
    return await replay(inBatches(streamRecords(reader, { ...range, domain: 'gate', newestFirst: false })), {
      ...options,
      evaluate: (request) => evaluator.evaluate(request),
      builtinsOf: calledBuiltins,
    });
  } finally {
    signal.removeEventListener('abort', stop);
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
