import type { Builtins } from '../../builtins/builtin';
import type { Block, Plan, PlanFunction } from '../plan';
import type { Step } from '../run';
import { WrittenNames } from '../touched';
import { sequence } from './control';
import { observed, type ObserveLookup } from './observe';
import { Scope, type CompiledFunction, type MayDoubt, type PlanScope } from './scope';
import { findShapes } from './shapes';
import { compileStatement } from './statements';

export interface CompiledPlan {
  entrypoints: ReadonlyMap<string, { blocks: readonly Step[]; slots: number }>;
  /** names that the plan looks up by a text of its own, by their number */
  writtenNames: readonly string[];
}

/**
 * Makes closures of a plan. No code is generated: a plan can do no more than its statements say.
 *
 * @param plan as `readPlan` gives it, so that each function that it calls is its own or a built-in
 * @param builtins all of them
 * @param watch `observe` is told of each lookup, and without it nothing is spent on that; `mayDoubt` is told while the plan is
 *   compiled, of each statement that can take the module's vote away
 */
export function compilePlan(
  plan: Plan,
  builtins: Builtins,
  { observe, mayDoubt }: { observe?: ObserveLookup | undefined; mayDoubt?: MayDoubt } = {},
): CompiledPlan {
  const functions = new Map<string, CompiledFunction>();
  const byPath = new Map<string, CompiledFunction>();
  plan.functions.forEach((definition, index) => {
    const memo = definition.parameters.length === 2 ? index : undefined;
    const compiled: CompiledFunction = { definition, memo, parameters: [], slots: 0, blocks: [] };
    functions.set(definition.name, compiled);
    if (definition.path.length > 0) byPath.set(pathKey(definition.path), compiled);
  });
  const names = new WrittenNames();
  const shared: PlanScope = {
    names,
    functionOf: (name) => functions.get(name),
    functionAt: (path) => byPath.get(pathKey(path)),
    ...(observe === undefined ? {} : { observe }),
    ...(mayDoubt === undefined ? {} : { mayDoubt }),
    builtin: (name) => builtins[name]!,
  };
  for (const compiled of functions.values()) {
    const { definition } = compiled;
    const { blocks, scope } = compileBody(definition.blocks, shared, definition.path.slice(1), definition);
    compiled.parameters = definition.parameters.map((local) => scope.slot(local));
    compiled.blocks = blocks;
    compiled.slots = scope.slots;
  }
  const entrypoints = new Map(
    plan.entrypoints.map(({ name, blocks }) => {
      const compiled = compileBody(blocks, shared, name.split('/'));
      return [name, { blocks: compiled.blocks, slots: compiled.scope.slots }];
    }),
  );
  return { entrypoints, writtenNames: names.list() };
}

function compileBody(blocks: readonly Block[], shared: PlanScope, path: readonly string[], owner?: PlanFunction) {
  const compileBlock = (block: Block): Step =>
    sequence(
      block.map((statement, index) => {
        const step = compileStatement(statement, scope, block.slice(index + 1));
        return shared.observe === undefined ? step : observed(step, statement, scope, shared.observe);
      }),
    );
  const scope: Scope = new Scope(shared, findShapes(blocks, owner), path, compileBlock);
  const steps = blocks.map((block) => {
    scope.forget();
    return compileBlock(block);
  });
  return { blocks: steps, scope };
}

const pathKey = (path: readonly string[]): string => JSON.stringify(path);
