import { BUILTINS } from '../builtins';
import type { Builtin, Builtins } from '../builtins/builtin';
import type { Declaration } from '../declarations/declaration';
import { RegoObject } from '../values/rego-object';
import type { RegoValue } from '../values/value';
import type { NotebookPolicy, NotesOfEvaluation } from './absence/notebook';
import { DocumentIndex, Outside } from './absence/outside';
import type { ValuePath } from './absence/paths';
import { compilePlan } from './compile/compile-plan';
import type { Doubt } from './doubts';
import { largeIntegersIn } from './large-integers';
import { Lookups, type Lookup } from './lookups';
import type { Plan } from './plan';
import { readPlan } from './read-plan';
import { Run, type Frame } from './run';

export interface PolicyOptions {
  /** what may be absent, where */
  declarations?: readonly Declaration[];
  /** packages beside those whose rules the plan has, each as its path without `data` */
  packages?: readonly (readonly string[])[];
  /** whether the schema of the value at a path says that it may be empty; without it, none may */
  mayBeEmpty?(path: ValuePath): boolean;
  /** told, after each evaluation that ended, which values from outside it looked up; every lookup is slower for it */
  onLookups?(lookups: Lookup[]): void;
  /** told the name of each built-in that an evaluation calls; comparisons are none */
  onBuiltin?(name: string): void;
}

export interface EvaluationOptions {
  /** `gate/response` */
  entrypoint: string;
  /** what `time.now_ns()` answers, nanoseconds since the epoch, UTC */
  decisionTimeNs: bigint;
}

export interface PlanEvaluation {
  /** undefined where the entrypoint is */
  result: RegoValue | undefined;
  /** names of the top level of the input that were looked up; undefined where the whole input was used */
  touched: readonly string[] | undefined;
  /** undefined where nothing was noted, and no declaration used */
  notes: NotesOfEvaluation | undefined;
  /** why the compiled wasm module has no vote on this evaluation; none where it has */
  doubts(): Doubt[];
}

/** A policy ready to be evaluated, with its data. */
export interface PlanPolicy {
  readonly entrypoints: readonly string[];
  /**
   * @param input undefined leaves Rego's `input` undefined
   * @throws EvaluationConflictError, BudgetExceededError or RangeError (a stack that is used up), after which the policy
   *   can be evaluated again; RangeError also where there is no such entrypoint
   */
  evaluate(input: RegoValue | undefined, options: EvaluationOptions): PlanEvaluation;
}

/**
 * Compiles a plan, once for many evaluations.
 *
 * @param planText plan.json of `opa build -t plan`
 * @param data the whole `data` document; not to be changed afterwards
 * @throws PlanInvalidError where the plan holds what this evaluator does not know
 */
export function loadPolicy(planText: string, data: RegoValue, options: PolicyOptions = {}): PlanPolicy {
  const plan = readPlan(planText);
  let lookups: Lookups | undefined;
  const { onLookups } = options;
  const { entrypoints, writtenNames } = compilePlan(
    plan,
    options.onBuiltin === undefined ? BUILTINS : watched(BUILTINS, options.onBuiltin.bind(options)),
    { observe: onLookups && ((at, container, key, found) => lookups?.observe(at, container, key, found)) },
  );
  const policy = {
    declarations: options.declarations ?? [],
    isPackagePrefix: packagePrefixes(plan, options.packages ?? []),
    mayBeEmpty: (path: ValuePath) => options.mayBeEmpty?.(path) ?? false,
    dataIndex: new DocumentIndex('data', data),
    writtenNames,
  };
  const dataHasLarge = largeIntegersIn(data);
  return {
    entrypoints: [...entrypoints.keys()],
    evaluate(input, { entrypoint, decisionTimeNs }) {
      const compiled = entrypoints.get(entrypoint);
      if (compiled === undefined) throw new RangeError(`The policy has no entrypoint ${entrypoint}`);
      const run = new Run(input, decisionTimeNs, policy);
      const frame: Frame = new Array<RegoValue | undefined>(compiled.slots).fill(undefined);
      frame[0] = input;
      frame[1] = data;
      if (onLookups) lookups = new Lookups(new Outside(new DocumentIndex('input', input), policy.dataIndex));
      for (const block of compiled.blocks) block(frame, run);
      onLookups?.(lookups!.list());
      const [found] = run.results;
      return {
        result: found instanceof RegoObject ? found.get('result') : undefined,
        touched: run.touchedAll ? undefined : run.touched.list(),
        notes: run.notes(),
        doubts: () => {
          if (dataHasLarge || (input !== undefined && largeIntegersIn(input))) run.doubts.add('large-integer');
          return run.doubts.list();
        },
      };
    },
  };
}

/** Paths at which the planner itself looks for base data that rules are merged with. */
function packagePrefixes(plan: Plan, packages: readonly (readonly string[])[]): NotebookPolicy['isPackagePrefix'] {
  const prefixes = new Set(['data']);
  const add = (path: readonly string[]) => {
    for (let length = 1; length <= path.length; length++) prefixes.add(['data', ...path.slice(0, length)].join('\0'));
  };
  for (const { path } of plan.functions) add(path.slice(1, -1));
  for (const path of packages) add(path);
  return (path) => prefixes.has(path.join('\0'));
}

function watched(builtins: Builtins, onBuiltin: (name: string) => void): Builtins {
  const all = Object.entries(builtins).map(([name, builtin]): [string, Builtin] => [
    name,
    (operands, context) => {
      onBuiltin(name);
      return builtin(operands, context);
    },
  ]);
  return Object.fromEntries(all);
}
