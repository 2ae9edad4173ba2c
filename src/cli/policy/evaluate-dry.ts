import { systemClock, systemTimers } from '../../platform/timers/system-timers';
import { resolve } from 'node:path';
import { CliExit, ExitCode, type CliIo } from '../io';
import type { CommonOptions } from '../options';
import type { Decision } from '../../gate/decisions/decision';
import { evaluateSnapshot } from '../../gate/decisions/evaluate-snapshot';
import type { Fact, FactTarget } from '../../gate/facts/fact';
import { FailureType, GateError, type Fault } from '../../kernel/failures';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { NAME_PATTERN, RESERVED_INPUT_KEYS } from '../../kernel/names';
import { parseTime, parseTimeOrEpoch } from '../../kernel/time';
import type { Evaluator } from '../../rego/evaluation/evaluator';
import type { Release } from '../../releases/release';
import { loadPolicy } from '../../releases/sources/file-source';
import { loadReleaseConfig } from '../../releases/sources/load-release-config';
import { loadDocument } from '../../platform/documents/loaders/document';
import { printJson, printLines, shortSha } from '../output';

export interface EvaluateOptions extends CommonOptions {
  policy: string;
  facts?: string;
  config?: string;
  collect?: boolean;
  at?: string;
  id: string;
  stage: string;
  attributes?: string;
}

/**
 * One evaluation without Temporal and without a record. Prints the decision; faults of the input are part of it (outcome
 * `error`), faults of the call are thrown.
 */
export async function evaluateDry(
  io: CliIo,
  options: EvaluateOptions,
  evaluator: Evaluator,
): Promise<Decision['outcome']> {
  const release = await readRelease(io, options);
  const nowMs = decisionTime(options.at);
  const target = readTarget(options);
  const { facts, faults, maxAgeMs, decisionTimeMs } = options.collect
    ? await collectFacts(io, options, release, target)
    : { ...(await readFacts(io, options.facts ?? '', nowMs)), maxAgeMs: {}, decisionTimeMs: nowMs };
  const reads = new Set(release.policy.reads.facts);
  const used = facts.filter((fact) => reads.has(fact.id)).sort((a, b) => (a.id < b.id ? -1 : 1));
  const snapshot = { decisionId: 'dry-run', decisionTimeMs, target, release: release.ref, facts: used, maxAgeMs };
  const decision: Decision =
    faults.length > 0
      ? { outcome: 'error', denyReasons: [], faults, evalDurationNs: 0 }
      : await evaluateSnapshot({ release, snapshot, evaluate: (request) => evaluator.evaluate(request) });
  print(io, options, release, used, decision);
  return decision.outcome;
}

async function readRelease(io: CliIo, options: EvaluateOptions): Promise<Release> {
  const [policy, loaded] = await Promise.all([
    loadPolicy(resolve(io.cwd, options.policy)),
    options.config === undefined ? defaultConfig() : loadReleaseConfig(resolve(io.cwd, options.config)),
  ]);
  const { config, configDocument, configRev } = loaded;
  return {
    ref: { policySha: policy.sha, configRev, manifestVersion: 'dry-run' },
    policy,
    config,
    configDocument,
    loadedAtMs: 0,
  };
}

/** Without --config the schema's defaults are in force; they have no revision. */
async function defaultConfig() {
  const { parseReleaseConfig } = await import('../../releases/config/parse-release-config.js');
  const config = parseReleaseConfig({}, { file: 'defaults' });
  return { config, configDocument: config as unknown as JsonObject, configRev: '' };
}

/** Epoch milliseconds of `--at`; now without it. @throws CliExit 2 */
export function decisionTime(at: string | undefined): number {
  if (at === undefined) return Date.now();
  const ms = parseTime(at);
  if (ms === undefined)
    throw new CliExit(ExitCode.usage, `expected --at to be an RFC 3339 time such as 2026-11-23T10:00:00Z, got ${at}`);
  return ms;
}

function readTarget({ id, stage, attributes }: EvaluateOptions): FactTarget {
  const names = new RegExp(NAME_PATTERN);
  for (const [option, name] of [
    ['--id', id],
    ['--stage', stage],
  ] as const) {
    if (!names.test(name))
      throw new CliExit(ExitCode.usage, `expected ${option} to match ${NAME_PATTERN}, got ${JSON.stringify(name)}`);
  }
  let parsed: unknown;
  try {
    parsed = attributes === undefined ? {} : JSON.parse(attributes);
  } catch {
    parsed = undefined;
  }
  if (!isJsonObject(parsed))
    throw new CliExit(ExitCode.usage, `expected --attributes to be a JSON object, got ${attributes}`);
  return { deploymentId: id, stage, stageIndex: 0, attributes: parsed, stageAttributes: {} };
}

interface GivenFacts {
  facts: Fact[];
  faults: Fault[];
}

/** `{"pending_delta": 100}` or `{"facts": [{"id", "value", "timestamp"}]}`; without a time, observed at the decision. */
async function readFacts(io: CliIo, path: string, nowMs: number): Promise<GivenFacts> {
  const document = path === '-' ? await readStandardInput() : (await loadDocument(resolve(io.cwd, path))).document;
  if (!isJsonObject(document))
    throw invalid(path, `Expected an object of facts, got ${JSON.stringify(document)?.slice(0, 80)}`);
  const listed = document.facts;
  if (Array.isArray(listed) && Object.keys(document).length === 1) return listedFacts(listed, path, nowMs);
  return checkNames(
    Object.entries(document).map(([id, value]) => toFact(id, value, nowMs, nowMs)),
    path,
  );
}

function listedFacts(listed: JsonValue[], path: string, nowMs: number): GivenFacts {
  const facts: Fact[] = [];
  const faults: string[] = [];
  listed.forEach((entry, index) => {
    const where = `facts[${index}]`;
    if (!isJsonObject(entry))
      return void faults.push(`${where}: expected {"id", "value", "timestamp"}, got ${JSON.stringify(entry)}`);
    const { id, value, timestamp, ...others } = entry;
    for (const key of Object.keys(others)) faults.push(`${where}: unknown key ${key}`);
    if (typeof id !== 'string' || id === '')
      return void faults.push(`${where}.id: expected a text, got ${JSON.stringify(id) ?? 'nothing'}`);
    if (value === undefined) return void faults.push(`${where}.value: expected a value, got nothing`);
    const atMs = timestamp === undefined ? nowMs : parseTimeOrEpoch(timestamp);
    if (atMs === undefined)
      return void faults.push(
        `${where}.timestamp: expected RFC 3339 or epoch milliseconds, got ${JSON.stringify(timestamp)}`,
      );
    facts.push(toFact(id, value, atMs, nowMs));
  });
  if (faults.length > 0) throw invalid(path, ...faults);
  return checkNames(facts, path);
}

function checkNames(facts: Fact[], path: string): GivenFacts {
  const faults: string[] = [];
  const seen = new Set<string>();
  for (const { id } of facts) {
    if ((RESERVED_INPUT_KEYS as readonly string[]).includes(id)) faults.push(`no fact may be called ${id}`);
    if (seen.has(id)) faults.push(`the fact ${id} is given twice`);
    seen.add(id);
  }
  if (faults.length > 0) throw invalid(path, ...faults);
  return { facts, faults: [] };
}

function toFact(id: string, value: JsonValue, observedAtMs: number, nowMs: number): Fact {
  return { id, value, observedAtMs, collectedAtMs: nowMs, source: 'file' };
}

async function readStandardInput(): Promise<JsonValue> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as JsonValue;
  } catch (error) {
    throw invalid('standard input', `Expected JSON: ${(error as Error).message}`);
  }
}

/** From the configured providers, now: the same collection as a worker's. */
async function collectFacts(
  io: CliIo,
  options: EvaluateOptions,
  release: Release,
  target: FactTarget,
): Promise<GivenFacts & { maxAgeMs: Record<string, number>; decisionTimeMs: number }> {
  const [
    { collectSnapshot, SnapshotError },
    { createFactCollector },
    { registryFromConfig },
    { PROVIDER_KINDS },
    { dirname },
  ] = await Promise.all([
    import('../../gate/facts/collect-snapshot.js'),
    import('../../gate/facts/collector.js'),
    import('../../gate/facts/registry.js'),
    import('../../gate/facts/providers/index.js'),
    import('node:path'),
  ]);
  const configFolder = options.config === undefined ? io.cwd : dirname(resolve(io.cwd, options.config));
  const { config, policy, configDocument } = release;
  const providers = await registryFromConfig({
    facts: config.facts,
    inputSchema: policy.inputSchema,
    kinds: PROVIDER_KINDS,
    deps: { env: io.env, configFolder, configDocument },
  });
  try {
    const snapshot = await collectSnapshot({
      release,
      target,
      collector: createFactCollector({ clock: systemClock, timers: systemTimers }),
      providersOf: () => providers,
      newDecisionId: () => 'dry-run',
    });
    return { facts: snapshot.facts, faults: [], maxAgeMs: snapshot.maxAgeMs, decisionTimeMs: snapshot.decisionTimeMs };
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw error;
    const { facts, faults, decisionTimeMs } = error.failure;
    return { facts, faults, maxAgeMs: {}, decisionTimeMs };
  }
}

function print(io: CliIo, options: EvaluateOptions, { ref }: Release, used: readonly Fact[], decision: Decision): void {
  const result: JsonObject = {
    outcome: decision.outcome,
    allow: decision.outcome === 'allow',
    deny_reasons: decision.denyReasons,
    used_facts: used.map(({ id, value, observedAtMs, source }) => ({
      id,
      value,
      observed_at: new Date(observedAtMs).toISOString(),
      source,
    })),
    policy_sha: ref.policySha,
    config_rev: ref.configRev,
    ...(decision.faults.length > 0 ? { error: decision.faults as unknown as JsonValue } : {}),
  };
  if (options.output === 'json') return printJson(io, result);
  printLines(io, [
    decision.outcome,
    ...decision.denyReasons.map((reason) => `  ${reason}`),
    ...decision.faults.map((fault) => `  ${fault.type}: ${fault.message}`),
    ...used.map(({ id, value }) => `  ${id} = ${JSON.stringify(value)}`),
    `  policy ${shortSha(ref.policySha)}${ref.configRev === '' ? ', default configuration' : `, configuration ${shortSha(ref.configRev)}`}`,
  ]);
}

function invalid(where: string, ...messages: string[]): GateError {
  const faults = messages.map((message) => ({ type: FailureType.ConfigInvalid, where, message }));
  return new GateError(FailureType.ConfigInvalid, messages.join('; '), faults);
}
