import { setTimeout as delay } from 'node:timers/promises';
import { parseDuration, isDuration } from '../../kernel/duration';
import type { JsonObject } from '../../kernel/json';
import type { PlannedStep, StepResult } from '../../rules/execution/execution';
import type { StepCall, StepRunner, UndoCall } from '../../rules/execution/step-runner';
import { ManagerError } from './manager-error';
import { OperationState, type ManagerCall, type MoveOperation, type ReplicaMove } from './shard-manager';
import type { ReplicaPlace, ShardManager } from './shard-manager';

export interface ShardStepsOptions {
  manager: ShardManager;
  /** a move that is not over then is called off and counts as failed */
  moveTimeoutMs: number;
  /** how often a move is asked for; @default 1000 */
  pollMs?: number;
}

/**
 * Carries out the steps of the shard domain, `add`, `remove` and `move`, by calls to the shard manager. Of a step whose
 * outcome is not known the same call is sent again before it is taken back: under the same key the manager carries it out once,
 * and a first attempt that arrives late changes nothing.
 */
export function createShardSteps(options: ShardStepsOptions): StepRunner {
  const { manager } = options;

  async function run(step: PlannedStep, call: StepCall): Promise<StepResult> {
    const { kind, settings } = step;
    if (kind === 'add') {
      const place = placeOf(settings, 'to');
      const { changed } = await manager.place(place, call);
      const did = `${place.shard} ${changed ? 'is' : 'was already'} on ${place.node}`;
      return { changed, summary: did };
    }
    if (kind === 'remove') {
      const place = placeOf(settings, 'from');
      const { changed } = await manager.remove(place, call, false);
      return { changed, summary: `${place.shard} ${changed ? 'is' : 'was already'} off ${place.node}` };
    }
    if (kind === 'move') return finished(await untilOver(await begin(settings, call), call.signal));
    throw unknownKind(kind);
  }

  async function undo(step: PlannedStep, call: UndoCall): Promise<StepResult> {
    const { kind, settings } = step;
    if (kind === 'move') return undoMove(settings, call);
    if (kind !== 'add' && kind !== 'remove') throw unknownKind(kind);
    const result = call.result ?? (await resolved(step, call));
    if (result === undefined || !result.changed) return { changed: false, summary: 'it had changed nothing' };
    const place = placeOf(settings, kind === 'add' ? 'to' : 'from');
    if (kind === 'remove') {
      await manager.place(place, call);
      return { changed: true, summary: `${place.shard} is on ${place.node} again` };
    }
    // What was placed may be the only replica: it goes all the same, since there was none before.
    await manager.remove(place, call, true);
    return { changed: true, summary: `${place.shard} is off ${place.node} again` };
  }

  /** What became of a step that was cut off; undefined where it was refused. */
  async function resolved(step: PlannedStep, call: UndoCall): Promise<StepResult | undefined> {
    try {
      return await run(step, stepCall(call));
    } catch (error) {
      if (error instanceof ManagerError && !error.mayHaveBeenSent) return undefined;
      throw error;
    }
  }

  async function undoMove(settings: JsonObject, call: UndoCall): Promise<StepResult> {
    const move = moveOf(settings);
    let operation: MoveOperation;
    try {
      // Under the same key this gives the operation that is there, also where its answer was lost.
      operation = await begin(settings, stepCall(call));
    } catch (error) {
      if (!(error instanceof ManagerError) || error.mayHaveBeenSent) throw error;
      return { changed: false, summary: 'it was never begun' };
    }
    const now = operation.state === OperationState.done ? operation : await manager.cancel(operation.id, call.signal);
    if (now.state !== OperationState.done) return { changed: true, summary: `${name(move)} was called off` };
    const back = { shard: move.shard, from: move.to, to: move.from };
    const over = await untilOver(await manager.startMove(back, call, options.moveTimeoutMs), call.signal);
    return finished(over);
  }

  function begin(settings: JsonObject, call: ManagerCall): Promise<MoveOperation> {
    return manager.startMove(moveOf(settings), call, timeoutOf(settings));
  }

  /** Asks until the operation is over. Once its deadline has passed here too it is called off. */
  async function untilOver(operation: MoveOperation, signal: AbortSignal): Promise<MoveOperation> {
    const giveUpAtMs = operation.deadlineMs ?? Date.now() + options.moveTimeoutMs;
    let now = operation;
    while (now.state === OperationState.running) {
      await delay(options.pollMs ?? 1_000, undefined, { signal });
      now = await manager.operation(operation.id, signal);
      if (now.state === OperationState.running && Date.now() > giveUpAtMs) {
        now = await manager.cancel(operation.id, signal);
      }
    }
    return now;
  }

  const timeoutOf = ({ within }: JsonObject): number =>
    typeof within === 'string' && isDuration(within) ? parseDuration(within) : options.moveTimeoutMs;

  return { run, undo };
}

function finished(operation: MoveOperation): StepResult {
  const { state, error, id } = operation;
  if (state === OperationState.done) {
    return { changed: true, summary: `${name(operation)} is done`, details: { operation: id } };
  }
  const why = error === undefined ? '' : `: ${error}`;
  throw new ManagerError(`${name(operation)} (operation ${id}) ended as ${state}${why}`, {
    retryable: false,
    mayHaveBeenSent: true,
    where: `operation ${id}`,
  });
}

function stepCall({ stepKey: key, stepOnVersion, signal }: UndoCall): ManagerCall {
  return { key, signal, ...(stepOnVersion === undefined ? {} : { onVersion: stepOnVersion }) };
}

function name({ shard, from, to }: ReplicaMove): string {
  return `move of ${shard} from ${from} to ${to}`;
}

function placeOf(settings: JsonObject, key: 'from' | 'to'): ReplicaPlace {
  const { shard, [key]: node } = settings;
  if (typeof shard === 'string' && typeof node === 'string') return { shard, node };
  throw misshapen(`shard and ${key}`, { shard: shard ?? null, [key]: node ?? null });
}

function moveOf({ shard, from, to }: JsonObject): ReplicaMove {
  if ([shard, from, to].every((text) => typeof text === 'string')) {
    return { shard: shard as string, from: from as string, to: to as string };
  }
  throw misshapen('shard, from and to', { shard: shard ?? null, from: from ?? null, to: to ?? null });
}

function misshapen(expected: string, found: JsonObject): ManagerError {
  return neverSent(`Expected a step with ${expected}, got ${JSON.stringify(found)}`);
}

function unknownKind(kind: string): ManagerError {
  return neverSent(`Expected a step to be add, remove or move, got ${JSON.stringify(kind)}`);
}

function neverSent(message: string): ManagerError {
  return new ManagerError(message, { retryable: false, mayHaveBeenSent: false, where: 'step' });
}
