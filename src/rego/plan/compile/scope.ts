import type { Builtin } from '../../builtins/builtin';
import type { Frame, Step } from '../run';
import type { Block, Local, Operand, PlanFunction, SourceLine, Statement, StatementOf } from '../plan';
import { DATA, INPUT } from '../plan';
import type { WrittenNames } from '../touched';
import type { RegoValue } from '../../values/value';
import type { Origin, OriginKey } from '../absence/origin';
import type { Site } from '../absence/site';
import type { DoubtReason } from '../doubts';
import type { ObserveLookup } from './observe';
import type { Shapes } from './shapes';

/** A function of the plan; its parts are filled in when its body is compiled, since functions call one another. */
export interface CompiledFunction {
  readonly definition: PlanFunction;
  /** its place in memos, or undefined where it has arguments */
  readonly memo: number | undefined;
  /** slots of the parameters */
  parameters: readonly number[];
  slots: number;
  blocks: readonly Step[];
}

/** What the bodies of a plan share. */
export interface PlanScope {
  functionOf(name: string): CompiledFunction | undefined;
  /** @param path texts, the generation first */
  functionAt(path: readonly string[]): CompiledFunction | undefined;
  /** @param name of one, as every call of a plan that was read is */
  builtin(name: string): Builtin;
  readonly names: WrittenNames;
  /** told of each lookup */
  observe?: ObserveLookup;
  /** told of each statement that can take the module's vote away, by what it finds */
  mayDoubt?: MayDoubt;
}

export type MayDoubt = (reason: DoubtReason, at: SourceLine) => void;

/** The body of a function or an entrypoint while it is compiled, statement by statement in their order. */
export class Scope {
  /** what is known of each local at the statement that is being compiled */
  readonly origins = new Map<Local, Origin>();
  private readonly slotOf = new Map<Local, number>();

  constructor(
    readonly plan: PlanScope,
    readonly shapes: Shapes,
    readonly rulePath: readonly string[],
    /** compiles a nested block */
    readonly block: (block: Block) => Step,
  ) {
    this.slot(INPUT);
    this.slot(DATA);
    this.forget();
  }

  get slots(): number {
    return this.slotOf.size;
  }

  /** Bodies of one function use the same locals again. */
  forget(): void {
    this.origins.clear();
    this.origins.set(INPUT, { kind: 'root', root: 'input' });
    this.origins.set(DATA, { kind: 'root', root: 'data' });
  }

  /** Locals are numbered with gaps; slots are not. */
  slot(local: Local): number {
    const known = this.slotOf.get(local);
    if (known !== undefined) return known;
    this.slotOf.set(local, this.slotOf.size);
    return this.slotOf.size - 1;
  }

  reader(operand: Operand): (frame: Frame) => RegoValue | undefined {
    if (operand.kind === 'constant') {
      const { value } = operand;
      return () => value;
    }
    const slot = this.slot(operand.local);
    return (frame) => frame[slot];
  }

  originOf(operand: Operand): Origin | undefined {
    return operand.kind === 'local' ? this.origins.get(operand.local) : undefined;
  }

  /** @param origin undefined where nothing is known of the value */
  learn(local: Local, origin: Origin | undefined): void {
    if (origin === undefined) this.origins.delete(local);
    else this.origins.set(local, origin);
  }

  keyOf(operand: Operand): OriginKey {
    return operand.kind === 'local' ? { slot: this.slot(operand.local) } : { text: String(operand.value) };
  }

  site({ at }: Statement, more: Omit<Site, 'at' | 'rulePath'> = {}): Site {
    return { at, rulePath: this.rulePath, ...more };
  }
}

/** Compiles a statement of one type. `rest` are the statements that follow it in its block. */
export type CompileStatement<T extends Statement['type']> = (
  statement: StatementOf<T>,
  scope: Scope,
  rest: Block,
) => Step;
