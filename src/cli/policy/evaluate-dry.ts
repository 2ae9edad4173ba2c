import { resolve } from 'node:path';
import { CliExit, ExitCode, type CommandIo } from '../io';
import type { CommonOptions } from '../options';
import { dryRunWith, type GivenFacts } from '../../gate/dry-run';
import type { Decision } from '../../gate/decisions/decision';
import type { Fact, FactTarget } from '../../gate/facts/fact';
import { faultText } from '../../kernel/fault-text';
import { isJsonObject, type JsonValue } from '../../kernel/json';
import { NAME_PATTERN } from '../../kernel/names';
import { parseTime } from '../../kernel/time';
import type { Evaluator } from '../../rego/evaluation/evaluator';
import type { ReleaseRef } from '../../releases/release-ref';
import type { EvaluationExplanation } from '../../gate/decisions/explain-evaluation';
import { JsonTextError, parseJsonText } from '../../platform/documents/json-text';
import { loadDocument, parseJsonBytes } from '../../platform/documents/loaders/document';
import { explanationLines, explanationRow } from './explanation-text';
import { quoted } from '../command-json';
import { printJson, printLines, shortSha } from '../output';
import { readStandardInput } from '../standard-input';

export interface EvaluateOptions extends CommonOptions {
  policy: string;
  facts?: string;
  config?: string;
  collect?: boolean;
  explain?: boolean;
  at?: string;
  id: string;
  stage: string;
  attributes?: string;
}

/**
 * One evaluation without Temporal and without a record. Prints the decision; faults of the input are part of it (outcome
 * `error`), faults of the call are thrown.
 */
export async function evaluateDry(io: CommandIo, options: EvaluateOptions, evaluator: Evaluator): Promise<Decision> {
  const { release, facts, decision, explanation } = await dryRunWith(evaluator, {
    policy: resolve(io.cwd, options.policy),
    ...(options.config === undefined ? {} : { config: resolve(io.cwd, options.config) }),
    ...(options.collect ? {} : { facts: await readFacts(io, options.facts ?? '') }),
    target: readTarget(options),
    decisionTimeMs: decisionTime(options.at),
    env: io.env,
    cwd: io.cwd,
    ...(options.explain ? { explain: true } : {}),
  });
  print(io, options, release, facts, decision, explanation);
  return decision;
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
  const parsed = attributes === undefined ? {} : parseOption('--attributes', attributes);
  if (!isJsonObject(parsed))
    throw new CliExit(ExitCode.usage, `expected --attributes to be a JSON object, got ${attributes}`);
  return { deploymentId: id, stage, stageIndex: 0, attributes: parsed, stageAttributes: {} };
}

function parseOption(option: string, text: string): JsonValue | undefined {
  try {
    return parseJsonText(text);
  } catch (error) {
    if (error instanceof JsonTextError && error.isJson)
      throw new CliExit(ExitCode.usage, `${option}: ${error.message}`);
    return undefined;
  }
}

async function readFacts(io: CommandIo, path: string): Promise<GivenFacts> {
  const document =
    path === '-'
      ? await parseJsonBytes('standard input', await readStandardInput(io))
      : (await loadDocument(resolve(io.cwd, path))).document;
  return { document, where: path };
}

function print(
  io: CommandIo,
  options: EvaluateOptions,
  ref: ReleaseRef,
  used: readonly Fact[],
  decision: Decision,
  explanation: EvaluationExplanation | undefined,
): void {
  const result = {
    outcome: decision.outcome,
    allow: decision.outcome === 'allow',
    deny_reasons: decision.denyReasons,
    used_facts: used.map(({ id, value, observedAtMs, source }) => ({
      id,
      value: quoted(value),
      observed_at: new Date(observedAtMs).toISOString(),
      source,
    })),
    policy_sha: ref.policySha,
    config_rev: ref.configRev,
    ...(explanation === undefined ? {} : { evaluation: explanationRow(explanation) }),
  };
  if (options.output === 'json') return printJson(io, result);
  printLines(io, [
    decision.outcome,
    ...decision.denyReasons.map((reason) => `  ${reason}`),
    ...decision.faults.map((fault) => `  ${faultText(fault)}`),
    ...used.map(({ id, value }) => `  ${id} = ${JSON.stringify(value)}`),
    `  policy ${shortSha(ref.policySha)}${ref.configRev === '' ? ', default configuration' : `, configuration ${shortSha(ref.configRev)}`}`,
    ...(explanation === undefined ? [] : explanationLines(explanation).map((line) => `  ${line}`)),
  ]);
}
