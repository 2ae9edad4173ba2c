import { join, resolve } from 'node:path';
import { allOrFaults } from '../../kernel/all-or-faults';
import { parseDuration } from '../../kernel/duration';
import { FailureType, faultsToError, GateError } from '../../kernel/failures';
import { secretDeps } from '../../settings/secret-deps';
import type { ExecutionDefaults } from '../../rules/execution/execution-defaults';
import type { Planner } from '../../rules/execution/planner';
import type { PolicySource } from '../../rules/execution/policy-source';
import type { StateSource } from '../../rules/execution/state-source';
import type { StepRunner } from '../../rules/execution/step-runner';
import { policiesOfFolder } from '../../rules/sources/policy-folder';
import { createPlanThreads } from '../../rules/threads/plan-threads';
import type { LoadedSettings } from '../../settings/load-settings';
import { shardDomain } from '../domain';
import { ManagerError } from '../manager/manager-error';
import type { ShardManager } from '../manager/shard-manager';
import { createShardSteps } from '../manager/step-runner';
import { stateOfFile } from '../sources/state-file';
import { stateOfManager } from '../sources/state-manager';
import { openStateMetrics } from '../sources/state-prometheus';
import { openShardManager } from './open-manager';

/** What executions of shard policies are made of, as the settings say. */
export interface ShardExecutions {
  /** evaluates in threads, which `close` ends */
  planner: Planner;
  policies: PolicySource;
  state: StateSource;
  maxAgeMs: number;
  runner: StepRunner;
  defaults: ExecutionDefaults;
  close(): Promise<void>;
}

/** Beyond a move's own time, so that its end is heard of. */
const MOVE_MARGIN_MS = 60_000;
const HEARTBEAT_TIMEOUT_MS = 10_000;
const MAX_GENERATIONS = 5;

/**
 * The shard manager, the state and the behaviour of executions that the settings name.
 *
 * @throws GateError ConfigInvalid for a URL that is none
 */
export function openShards(
  { settings, baseDir }: LoadedSettings,
  { env, labels }: { env: Readonly<Record<string, string | undefined>>; labels: Readonly<Record<string, string>> },
): ShardExecutions {
  const { execution, state, manager: managed } = settings.shards;
  const maxAgeMs = parseDuration(state.maxAge);
  const secrets = secretDeps({ settings, baseDir }, env);
  const [manager, withMetrics] = allOrFaults(
    () => openShardManager(settings, secrets),
    () => (state.prometheus === undefined ? undefined : openStateMetrics(state.prometheus, { maxAgeMs, secrets })),
    () => requireBase(settings.shards),
    () => requirePolicies(settings),
  );
  const base =
    stateSource(state.file === undefined ? undefined : resolve(baseDir, state.file), manager, managed?.url) ?? NO_STATE;
  const moveTimeoutMs = parseDuration(execution.moveTimeout);
  const pollMs = parseDuration(execution.pollEvery);
  const { policies, evaluation } = settings.rules;
  const { close, ...planner } = createPlanThreads({
    entry: join(__dirname, 'thread-entry'),
    deadlineMs: parseDuration(evaluation.deadline),
    memoryMiB: evaluation.memory,
    timeoutMsOf: ({ kind }) => (kind === 'move' ? moveTimeoutMs + MOVE_MARGIN_MS : undefined),
  });
  return {
    planner,
    close,
    policies: policies === undefined ? NO_POLICIES : policiesOfFolder(resolve(baseDir, policies), shardDomain),
    state: withMetrics?.(base) ?? base,
    maxAgeMs,
    runner: manager === undefined ? NO_RUNNER : createShardSteps({ manager, moveTimeoutMs, pollMs }),
    defaults: {
      stepTimeoutMs: parseDuration(execution.stepTimeout),
      heartbeatTimeoutMs: HEARTBEAT_TIMEOUT_MS,
      stepAttempts: execution.attempts,
      rollbackAttempts: execution.rollbackAttempts,
      rollbackRetryMs: parseDuration(execution.rollbackRetryEvery),
      maxGenerations: MAX_GENERATIONS,
      remindAfterMs: parseDuration(execution.remindAfter),
      remindAtMostMs: parseDuration(execution.remindAtMost),
      ...(settings.temporal.historyLimit === undefined ? {} : { historyLimit: settings.temporal.historyLimit }),
      labels,
    },
  };
}

function stateSource(
  file: string | undefined,
  manager: ShardManager | undefined,
  url: string | undefined,
): StateSource | undefined {
  if (file !== undefined) return stateOfFile(file);
  return manager === undefined || url === undefined ? undefined : stateOfManager(manager, url);
}

const NO_STATE: StateSource = {
  read: () => Promise.reject(invalid('Expected shards.manager or shards.state.file in the settings of the worker')),
};

function requireBase({ manager, state }: LoadedSettings['settings']['shards']): void {
  if (state.prometheus === undefined || manager !== undefined || state.file !== undefined) return;
  const where = 'shards.state.prometheus';
  const message = `Expected shards.manager or shards.state.file beside ${where}, which adds metrics to the nodes and shards that they name`;
  throw faultsToError([{ type: FailureType.ConfigInvalid, message, where }]);
}

/** Policies are stored in PostgreSQL alone: what only the first execution would find is told at the start. */
function requirePolicies({ audit, rules, shards: { manager, state } }: LoadedSettings['settings']): void {
  const isWanted = manager !== undefined || state.file !== undefined;
  if (!isWanted || audit.store.type !== 'dynamodb' || rules.policies !== undefined) return;
  const where = 'rules.policies';
  const message = `Expected ${where} to be a folder of policies for shards, since audit.store.type dynamodb stores none`;
  throw faultsToError([{ type: FailureType.ConfigInvalid, message, where }]);
}

const NO_POLICIES: PolicySource = {
  current: () => Promise.reject(invalid('Expected rules.policies in the settings of the worker')),
};

const noManager = (): Promise<never> => {
  const message = 'Expected shards.manager in the settings of the worker: there is no one to carry out a step';
  return Promise.reject(
    new ManagerError(message, { retryable: false, mayHaveBeenSent: false, where: 'shards.manager' }),
  );
};
const NO_RUNNER: StepRunner = { run: noManager, undo: noManager };

function invalid(message: string): GateError {
  return new GateError(FailureType.ConfigInvalid, message);
}
