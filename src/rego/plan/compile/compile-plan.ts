import type { Builtins } from '../../builtins/builtin';
import type { Block, Plan, PlanFunction, SourceLine } from '../plan';
import { PlanInvalidError } from '../read-plan';
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
 * @param watch `observe` is told of each lookup, and without it nothing is spent on that; `mayDoubt` is told while the plan is
 *   compiled, of each statement that can take the module's vote away
 * @throws PlanInvalidError that names a function which is neither the plan's own nor a built-in
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
    builtin: (name, at) => {
      if (Object.hasOwn(builtins, name)) return builtins[name]!;
      throw new PlanInvalidError(`${placeOf(at)}calls ${name}, which is no built-in here`);
    },
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
const placeOf = ({ file, row }: SourceLine): string => (row === 0 ? '' : `${file}:${row} `);
