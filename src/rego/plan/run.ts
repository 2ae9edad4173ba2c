import type { BuiltinContext } from '../builtins/builtin';
import { EvaluationBudget } from '../builtins/plan-builtin';
import type { RegoValue } from '../values/value';
import { Doubts } from './doubts';
import { Notebook, type NotebookPolicy, type NotesOfEvaluation } from './absence/notebook';
import { Outside, DocumentIndex } from './absence/outside';
import { TouchedNames } from './touched';

/** The variables of a function that runs. */
export type Frame = (RegoValue | undefined)[];

/** What a statement answers: continue with the next, return, or break out of so many blocks. */
export const NEXT = -1;
export const RETURN = -2;
export type Step = (frame: Frame, run: Run) => number;

/** Stands in a memo for a rule that is undefined. */
export const UNDEFINED = Symbol('undefined');
export type Memo = (RegoValue | typeof UNDEFINED | undefined)[];

/** The state of one evaluation. */
export class Run {
  /** what the function that ran last returned */
  returned: RegoValue | undefined;
  readonly results: RegoValue[] = [];
  /** of rules, by the number of their function; each `with` has its own */
  memo: Memo = [];
  readonly budget = new EvaluationBudget();
  readonly context: BuiltinContext;
  /** names of the top level of the input that were looked up */
  readonly touched: TouchedNames;
  /** the input was handed on, kept or walked through whole */
  touchedAll = false;
  private made: Notebook | undefined;
  private doubted: Doubts | undefined;

  constructor(
    /** what `input` is now, `with` included */
    public input: RegoValue | undefined,
    decisionTimeNs: bigint,
    private readonly policy: NotebookPolicy & { dataIndex: DocumentIndex; writtenNames: readonly string[] },
  ) {
    this.touched = new TouchedNames(policy.writtenNames);
    this.context = { decisionTimeNs, budget: this.budget };
    this.outer = input;
  }

  private readonly outer: RegoValue | undefined;

  /** A value that is kept or compared: where it is the input, all of it counts as looked at. */
  use(value: RegoValue | undefined): void {
    if (value === this.input) this.touchedAll = true;
  }

  get doubts(): Doubts {
    return (this.doubted ??= new Doubts());
  }

  get notebook(): Notebook {
    return (this.made ??= new Notebook(
      this.policy,
      new Outside(new DocumentIndex('input', this.outer), this.policy.dataIndex),
    ));
  }

  notes(): NotesOfEvaluation | undefined {
    return this.made?.result();
  }
}
