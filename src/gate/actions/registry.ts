import type { Fault } from '../../kernel/failures';
import type { ActionContext, ActionResult, ActionSpec } from './action';
import { ActionError } from './action-error';
import type { ActionDeps, ActionKind, ActionRunner, RunOptions } from './action-kind';
import { pickOutputs } from '../../platform/documents/named-outputs';

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
        run: async (spec, context, options) =>
          withOutputs(await of(runners, spec).run(spec, context, options), spec, options.outputs),
        compensate: async (spec, context, options) =>
          of(runners, spec).compensate(spec, context, {
            ...options,
            runKey: options.idempotencyKey,
            idempotencyKey: `${options.idempotencyKey}/compensation`,
          }),
      };
    },
  };
}

/** @throws ActionError when not all that were asked for are there: it was done, and to do it again gives no other answer */
function withOutputs(
  { outputs = {}, ...result }: ActionResult,
  { type }: ActionSpec,
  names: readonly string[] = [],
): ActionResult {
  if (names.length === 0) return result;
  const picked = pickOutputs(outputs, names);
  if (picked.outputs !== undefined) return { ...result, outputs: picked.outputs };
  throw new ActionError(`The outputs of action ${type}: ${picked.fault}`, {
    retryable: false,
    mayHaveBeenSent: true,
    ...(result.status === undefined ? {} : { status: result.status }),
  });
}

function of<T>(byType: ReadonlyMap<string, T>, spec: ActionSpec): T {
  const found = byType.get(spec.type);
  if (found !== undefined) return found;
  throw new TypeError(`Expected an action of type ${[...byType.keys()].join(' or ')}, got ${String(spec.type)}`);
}
