import type { Fault } from '../../kernel/failures';
import type { ActionContext, ActionResult, ActionSpec } from './action';

export interface RunOptions {
  /** the same for every attempt */
  idempotencyKey: string;
  /** ends the request */
  signal: AbortSignal;
  /** errors and summaries name the address as the spec has it, templates and all: what they stand for is masked */
  hidesValues?: boolean;
}

/** One type of action. A new one is a file that exports this, listed in `adapters/index.ts`. */
export interface ActionType<Spec extends ActionSpec = ActionSpec> {
  readonly type: Spec['type'];
  /** every fault that can be seen before anything runs; `context` may be the deployment's own with an example decision id */
  check(spec: Spec, context: ActionContext): Fault[];
  /** @throws ActionError */
  run(spec: Spec, context: ActionContext, options: RunOptions): Promise<ActionResult>;
  /** undoes what `run` did, or may have done; @throws ActionError */
  compensate(spec: Spec, context: ActionContext, options: RunOptions): Promise<ActionResult>;
}

export interface ActionRegistry {
  checkAction(spec: ActionSpec, context: ActionContext): Fault[];
  runAction(spec: ActionSpec, context: ActionContext, options: RunOptions): Promise<ActionResult>;
  /** the request goes out under a key of its own, derived from `idempotencyKey` */
  compensate(spec: ActionSpec, context: ActionContext, options: RunOptions): Promise<ActionResult>;
}

/** @throws TypeError when two register for one type */
export function createActionRegistry(
  types: readonly { [T in ActionSpec['type']]: ActionType<Extract<ActionSpec, { type: T }>> }[ActionSpec['type']][],
): ActionRegistry {
  const byType = new Map<string, ActionType>();
  for (const type of types) {
    if (byType.has(type.type)) throw new TypeError(`Two actions are registered for the type ${type.type}`);
    // Each type sees only specs of its own type: `of` picks it by that very field.
    byType.set(type.type, type as ActionType);
  }

  function of(spec: ActionSpec): ActionType {
    const type = byType.get(spec.type);
    if (type !== undefined) return type;
    throw new TypeError(`Expected an action of type ${[...byType.keys()].join(' or ')}, got ${String(spec.type)}`);
  }

  return {
    checkAction: (spec, context) => of(spec).check(spec, context),
    runAction: async (spec, context, options) => of(spec).run(spec, context, options),
    compensate: async (spec, context, options) =>
      of(spec).compensate(spec, context, { ...options, idempotencyKey: `${options.idempotencyKey}/compensation` }),
  };
}
