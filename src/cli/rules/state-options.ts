import { InvalidArgumentError, type Command } from 'commander';
import { closeName } from '../../platform/documents/close-name';
import { parseTime } from '../../kernel/time';
import type { PolicySet } from '../../rules/document/read-policies';
import type { ConflictRule, DomainState, RuleDomain } from '../../rules/domain';
import type { AnswerOptions } from '../../rules/evaluation/answer';
import { CliExit, ExitCode, type CommandIo } from '../io';
import { collect } from '../options';
import { usageFaults } from '../repeated-options';
import { ruleDomain } from './domain';
import { openPolicies } from './policies';

const CONFLICT_RULES: readonly string[] = ['highest_priority', 'first_match', 'merge'] satisfies ConflictRule[];

/** Flags of every command that looks at a state. */
export interface StateOptions {
  state: string;
  operation?: string;
  shard?: string;
  at?: number;
  conflicts?: string[];
}

export function withState(command: Command): Command {
  return command
    .requiredOption('--state <file>', 'the state, in JSON or YAML')
    .option('--operation <name>', 'only policies for this operation, such as place_shard')
    .option('--shard <id>', 'only this shard: every policy is evaluated for it')
    .option('--at <time>', 'time of the evaluation, RFC 3339; default now', time)
    .option(
      '--conflicts <type=rule>',
      `what becomes of actions that contradict each other, for a type: ${CONFLICT_RULES.join(', ')}; may be given several times`,
      collect,
    );
}

/** Policies and a state, read as the flags say. */
export interface LoadedRules {
  domain: RuleDomain;
  set: PolicySet;
  state: DomainState;
  options: AnswerOptions;
}

/**
 * @throws CliExit 2 for an operation, a type or a rule that does not exist; GateError ConfigInvalid with the faults of the
 *   files
 */
export async function loadRules(io: CommandIo, policies: string, flags: StateOptions): Promise<LoadedRules> {
  const [{ loadState }, { resolve }, domain] = await Promise.all([
    import('../../rules/sources/load-state.js'),
    import('node:path'),
    ruleDomain(),
  ]);
  const { operation, shard: subject, at: nowMs = Date.now() } = flags;
  checkOperation(domain, operation);
  const conflicts = conflictRules(domain, flags.conflicts ?? []);
  const { set } = await openPolicies(io, policies);
  const state = await loadState(resolve(io.cwd, flags.state), domain, {
    nowMs,
    ...(operation === undefined ? {} : { operation }),
    ...(subject === undefined ? {} : { subject }),
  });
  const options = {
    ...(operation === undefined ? {} : { operation }),
    ...(subject === undefined ? {} : { ofSubjectsAlone: true }),
    conflicts,
  };
  return { domain, set, state, options };
}

/** @throws CliExit 2 for an operation that the domain does not have */
export function checkOperation({ operations }: RuleDomain, operation: string | undefined): void {
  if (operation === undefined || Object.hasOwn(operations, operation)) return;
  const known = Object.keys(operations);
  const close = closeName(operation, known);
  const hint = close === undefined ? '' : `; did you mean ${close}?`;
  throw new CliExit(ExitCode.usage, `expected --operation to be one of ${known.join(', ')}, got ${operation}${hint}`);
}

function conflictRules({ types }: RuleDomain, texts: readonly string[]): Record<string, ConflictRule> {
  const rules = new Map<string, ConflictRule>();
  const faults: string[] = [];
  for (const text of texts) {
    const [type = '', rule = ''] = text.split('=', 2);
    if (!types.has(type)) faults.push(`--conflicts: expected one of ${[...types.keys()].join(', ')}, got ${type}`);
    else if (!CONFLICT_RULES.includes(rule)) {
      faults.push(`--conflicts ${type}: expected one of ${CONFLICT_RULES.join(', ')}, got ${JSON.stringify(rule)}`);
    } else if (rules.has(type)) faults.push(`--conflicts: expected the type ${type} once, got it again`);
    else rules.set(type, rule as ConflictRule);
  }
  if (faults.length > 0) throw usageFaults(faults);
  return Object.fromEntries(rules);
}

export function time(text: string): number {
  const ms = parseTime(text);
  if (ms === undefined) throw new InvalidArgumentError('Expected an RFC 3339 time such as 2026-11-26T10:00:00Z.');
  return ms;
}
