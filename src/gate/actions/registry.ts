import type { Fault } from '../../kernel/failures';
import type { ActionContext, ActionResult, ActionSpec } from './action';
import type { ActionDeps, ActionKind, ActionRunner, RunOptions } from './action-kind';

/** The actions of all types, ready to run. */
export interface Actions {
  /** @throws ActionError */
  run(spec: ActionSpec, context: ActionContext, options: RunOptions): Promise<ActionResult>;
  /** the request goes out under a key of its own, derived from `idempotencyKey`; @throws ActionError */
  compensate(spec: ActionSpec, context: ActionContext, options: RunOptions): Promise<ActionResult>;
}

export interface ActionRegistry {
  /** every fault of a spec that can be seen before anything runs */
  check(spec: ActionSpec, context: ActionContext): Fault[];
  create(deps: ActionDeps): Actions;
}

/** @throws TypeError when two register for one type */
export function createActionRegistry(
  kinds: readonly { [T in ActionSpec['type']]: ActionKind<Extract<ActionSpec, { type: T }>> }[ActionSpec['type']][],
): ActionRegistry {
  const byType = new Map<string, ActionKind>();
  for (const kind of kinds) {
    if (byType.has(kind.type)) throw new TypeError(`Two actions are registered for the type ${kind.type}`);
    // Each kind sees only specs of its own type: `of` picks it by that very field.
    byType.set(kind.type, kind as ActionKind);
  }

  return {
    check: (spec, context) => of(byType, spec).check(spec, context),
    create: (deps) => {
      const runners = new Map<string, ActionRunner>([...byType].map(([type, kind]) => [type, kind.create(deps)]));
      return {
        run: async (spec, context, options) => of(runners, spec).run(spec, context, options),
        compensate: async (spec, context, options) =>
          of(runners, spec).compensate(spec, context, {
            ...options,
            idempotencyKey: `${options.idempotencyKey}/compensation`,
          }),
      };
    },
  };
}

function of<T>(byType: ReadonlyMap<string, T>, spec: ActionSpec): T {
  const found = byType.get(spec.type);
  if (found !== undefined) return found;
  throw new TypeError(`Expected an action of type ${[...byType.keys()].join(' or ')}, got ${String(spec.type)}`);
}
