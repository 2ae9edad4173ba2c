import { messageOf } from '../../../kernel/message-of';
import { FailureType, type Fault } from '../../../kernel/failures';
import { isJsonObject, type JsonObject } from '../../../kernel/json';
import { parseJsonText } from '../../../platform/documents/json-text';
import type { ActionContext, ActionResult, ModuleAction } from '../action';
import { ActionError } from '../action-error';
import type { ActionDeps, ActionKind, RunOptions } from '../action-kind';
import { renderValue } from '../template';

/** An action of the user's own: a module that the worker's settings name. */
export const moduleAction: ActionKind<ModuleAction> = {
  type: 'module',
  check: (spec, context) => renderOptions(spec, context).faults,
  create: (deps) => ({
    run: (spec, context, options) => call(deps, 'run', spec, context, options),
    async compensate(spec, context, options) {
      if (spec.compensate !== true) return { summary: 'no compensation is defined' };
      return call(deps, 'compensate', spec, context, options);
    },
  }),
};

async function call(
  deps: ActionDeps,
  what: 'run' | 'compensate',
  spec: ModuleAction,
  context: ActionContext,
  { idempotencyKey, signal, outputs: wanted = [] }: RunOptions,
): Promise<ActionResult> {
  const { options, faults } = renderOptions(spec, context);
  if (faults.length > 0) throw unsent(faults);
  const loaded = await deps.loadModule(spec.name).catch((error: unknown) => {
    throw unsent([fault(messageOf(error), 'action.name')]);
  });
  if (spec.compensate === true && loaded.compensate === undefined) {
    const message = `Expected the module of action ${spec.name} to have a compensate function, since the action says compensate: true`;
    throw unsent([fault(message, 'action.compensate')]);
  }
  try {
    // The module's own `this` stays what it was.
    const result = await loaded[what]?.({ options, context, idempotencyKey, signal });
    const { status, summary, outputs } = result ?? {};
    return {
      ...(typeof status === 'number' ? { status } : {}),
      summary: typeof summary === 'string' ? summary : `${spec.name} ${what === 'run' ? 'ran' : 'was taken back'}`,
      ...(wanted.length > 0 && outputs !== undefined ? { outputs: asJson(outputs) } : {}),
    };
  } catch (error) {
    const { retryable, mayHaveBeenSent } = (error ?? {}) as { retryable?: unknown; mayHaveBeenSent?: unknown };
    throw new ActionError(`Action ${spec.name} failed: ${messageOf(error)}`, {
      retryable: retryable !== false,
      mayHaveBeenSent: mayHaveBeenSent !== false,
      where: `module ${spec.name}`,
      cause: error,
    });
  }
}

/** What a module gives may be anything; what JSON cannot hold is left out, as JSON.stringify does. */
function asJson(outputs: unknown): JsonObject {
  const text = JSON.stringify(outputs);
  const value = text === undefined ? undefined : parseJsonText(text);
  if (isJsonObject(value)) return value;
  throw new Error('expected the outputs to be an object');
}

function renderOptions(spec: ModuleAction, context: ActionContext): { options: JsonObject; faults: Fault[] } {
  const faults: Fault[] = [];
  const options = renderValue(spec.options ?? {}, context, { where: 'action.options', faults });
  return { options: options as JsonObject, faults };
}

function unsent(faults: Fault[]): ActionError {
  const message = faults.map((each) => each.message).join('; ');
  return new ActionError(message, { retryable: false, mayHaveBeenSent: false, faults });
}

function fault(message: string, where: string): Fault {
  return { type: FailureType.ConfigInvalid, message, where };
}
