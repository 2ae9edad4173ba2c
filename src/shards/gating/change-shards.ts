import type { ActionContext, ActionResult, ShardAction } from '../../gate/actions/action';
import { ActionError } from '../../gate/actions/action-error';
import type { ActionRunner, RunOptions } from '../../gate/actions/action-kind';
import { toShardChange, type ShardChange } from '../../gate/actions/adapters/shard';
import { DEFAULT_DURATIONS, parseDuration } from '../../kernel/duration';
import { messageOf } from '../../kernel/message-of';
import type { PlannedStep, StepResult } from '../../rules/execution/execution';
import { ManagerError } from '../manager/manager-error';
import type { ShardManager } from '../manager/shard-manager';
import { createShardSteps } from '../manager/step-runner';
import { readState } from '../state/read-state';

export interface ShardChangesOptions {
  /** undefined where the worker's settings name none */
  manager: ShardManager | undefined;
  /** how often a move is asked for */
  pollMs: number;
}

/**
 * Changes of shards as actions of the gate: steps as rule policies have them, each by one call to the shard manager under the
 * action's key. To take one back the manager is asked again under that key what became of it, so that only what it changed goes.
 */
export function createShardChanges({ manager, pollMs }: ShardChangesOptions): ActionRunner<ShardAction> {
  function prepare(spec: ShardAction, context: ActionContext, { signal, hidesValues = false }: RunOptions) {
    const { change, faults } = toShardChange(spec, context);
    if (change === undefined) {
      const message = faults.map((fault) => fault.message).join('; ');
      throw new ActionError(message, { ...UNSENT, faults });
    }
    if (manager === undefined) {
      const message = `Expected shards.manager in the worker's settings, which carries out action shard, found none`;
      throw new ActionError(message, { ...UNSENT, where: 'shards.manager' });
    }
    const name = nameOf(spec, hidesValues ? spec : change);
    if (signal.aborted) {
      const message = `${name} was stopped before it was sent`;
      throw new ActionError(message, { retryable: true, mayHaveBeenSent: false, cause: signal.reason });
    }
    const moveTimeoutMs = parseDuration(spec.within ?? DEFAULT_DURATIONS.shardMove);
    const step: PlannedStep = { kind: spec.operation, policies: [], settings: { ...change }, sentence: name };
    return { change, manager, name, step, steps: createShardSteps({ manager, moveTimeoutMs, pollMs }) };
  }

  async function run(spec: ShardAction, context: ActionContext, options: RunOptions): Promise<ActionResult> {
    const { change, name, step, steps, manager } = prepare(spec, context, options);
    const { idempotencyKey: key, signal, hidesValues = false } = options;
    try {
      const result = await steps
        .run(step, { key, signal })
        .catch((error: unknown) => unlessThereAlready(error, manager, spec, change, signal));
      const { changed, details = {} } = result;
      return { summary: summaryOf(name, result, hidesValues), outputs: { changed, ...details } };
    } catch (error) {
      throw toActionError(error, { name, signal, hidesValues, spec });
    }
  }

  return {
    run,
    async compensate(spec, context, options) {
      if (spec.compensate !== true) return { summary: 'no compensation is defined' };
      const { name, step, steps } = prepare(spec, context, options);
      const { idempotencyKey: key, runKey: stepKey, signal, hidesValues = false } = options;
      try {
        return { summary: summaryOf(name, await steps.undo(step, { key, stepKey, signal }), hidesValues) };
      } catch (error) {
        throw toActionError(error, { name: `taking back ${name}`, signal, hidesValues, spec });
      }
    },
  };
}

const UNSENT = { retryable: false, mayHaveBeenSent: false } as const;

/**
 * A replica is added or removed once; a move that was done under an earlier key is refused. Where the replica is where it was to
 * go, and has left, nothing is to be done.
 */
async function unlessThereAlready(
  error: unknown,
  manager: ShardManager,
  { operation }: ShardAction,
  { shard, from = '', to = '' }: ShardChange,
  signal: AbortSignal,
): Promise<StepResult> {
  if (operation !== 'move' || !(error instanceof ManagerError) || error.status !== 409) throw error;
  let replicas: readonly string[] | undefined;
  try {
    replicas = readState(await manager.state(signal), { file: 'state' }).shards.get(shard)?.replicas;
  } catch {
    throw error;
  }
  if (!replicas?.includes(to) || replicas.includes(from)) throw error;
  return { changed: false, summary: `${shard} was already on ${to}, and off ${from}` };
}

interface Failed {
  name: string;
  signal: AbortSignal;
  hidesValues: boolean;
  spec: ShardAction;
}

function toActionError(error: unknown, { name, signal, hidesValues, spec }: Failed): ActionError {
  if (signal.aborted) {
    const message = `${name} was stopped; it may have been carried out`;
    return new ActionError(message, { retryable: true, mayHaveBeenSent: true, cause: signal.reason });
  }
  if (error instanceof ManagerError) {
    const { retryable, mayHaveBeenSent, status, code, faults } = error;
    // The manager's own words and its addresses name shards and nodes.
    const said = status === undefined ? 'gave no answer that can be used' : `answered ${status}`;
    const hidden = `the shard manager ${said}${code === undefined ? '' : ` (${code})`}`;
    return new ActionError(`${name}: ${hidesValues ? hidden : error.message}`, {
      retryable,
      mayHaveBeenSent,
      ...(status === undefined ? {} : { status }),
      where: hidesValues ? 'shards.manager' : (faults[0]?.where ?? 'shards.manager'),
    });
  }
  // A token that cannot be read: a move may have begun before.
  return new ActionError(`${name}: ${messageOf(error)}`, {
    retryable: false,
    mayHaveBeenSent: spec.operation === 'move',
    where: 'shards.manager',
    cause: error,
  });
}

function nameOf({ operation }: ShardAction, { shard, from, to }: ShardChange): string {
  const off = from === undefined ? '' : ` from ${from}`;
  return `${operation} ${shard}${off}${to === undefined ? '' : ` to ${to}`}`;
}

function summaryOf(name: string, { changed, summary }: StepResult, hidesValues: boolean): string {
  return hidesValues ? `${name}: ${changed ? 'done' : 'nothing was to be changed'}` : summary;
}
