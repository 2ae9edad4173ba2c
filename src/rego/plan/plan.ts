/**
 * OPA's intermediate representation, as `opa build -t plan` writes it to plan.json and `readPlan` has checked it: every
 * index is in range and resolved, every statement known. The names of statements and fields are OPA's
 * (https://www.openpolicyagent.org/docs/ir, `v1/ir` in its Go module).
 */
export interface Plan {
  entrypoints: readonly Entrypoint[];
  functions: readonly PlanFunction[];
}

/** A query that may be asked for by its name, `gate/response`. */
export interface Entrypoint {
  name: string;
  blocks: readonly Block[];
}

/** A rule or a function; all rules of one name, or of one ground prefix of names, are one. */
export interface PlanFunction {
  /** `g0.data.gate.allow`; a rule that a `with` changes is planned once more, as `g1.…` */
  name: string;
  /** the first two are the input and the data; a rule has no more */
  parameters: readonly Local[];
  returns: Local;
  blocks: readonly Block[];
  /** `['g0', 'gate', 'allow']`, by which a dynamic call finds it */
  path: readonly string[];
}

/** A variable of a function. Local 0 is `input` and local 1 is `data`. */
export type Local = number;
export const INPUT: Local = 0;
export const DATA: Local = 1;

export type Operand = { kind: 'local'; local: Local } | { kind: 'constant'; value: string | boolean };
export type Block = readonly Statement[];

/** Where a statement comes from; row and column count from 1, 0 where the planner made it by itself. */
export interface SourceLine {
  file: string;
  row: number;
  col: number;
}

interface Fields {
  NopStmt: object;
  AssignIntStmt: { value: bigint; target: Local };
  AssignVarStmt: { source: Operand; target: Local };
  AssignVarOnceStmt: { source: Operand; target: Local };
  ResetLocalStmt: { target: Local };
  MakeNullStmt: { target: Local };
  MakeNumberIntStmt: { value: bigint; target: Local };
  MakeNumberRefStmt: { text: string; target: Local };
  MakeArrayStmt: { target: Local };
  MakeObjectStmt: { target: Local };
  MakeSetStmt: { target: Local };
  EqualStmt: { a: Operand; b: Operand };
  NotEqualStmt: { a: Operand; b: Operand };
  IsArrayStmt: { source: Operand };
  IsObjectStmt: { source: Operand };
  IsSetStmt: { source: Operand };
  IsDefinedStmt: { source: Local };
  IsUndefinedStmt: { source: Local };
  ArrayAppendStmt: { value: Operand; array: Local };
  ObjectInsertStmt: { key: Operand; value: Operand; object: Local };
  ObjectInsertOnceStmt: { key: Operand; value: Operand; object: Local };
  ObjectMergeStmt: { a: Local; b: Local; target: Local };
  SetAddStmt: { value: Operand; set: Local };
  DotStmt: { source: Operand; key: Operand; target: Local };
  LenStmt: { source: Operand; target: Local };
  ScanStmt: { source: Local; key: Local; value: Local; block: Block };
  NotStmt: { block: Block };
  BlockStmt: { blocks: readonly Block[] };
  BreakStmt: { index: number };
  /** no result where a built-in answers nothing, such as `print` */
  CallStmt: { func: string; args: readonly Operand[]; result?: Local };
  CallDynamicStmt: { args: readonly Local[]; result: Local; path: readonly Operand[] };
  WithStmt: { local: Local; path: readonly string[]; value: Operand; block: Block };
  ReturnLocalStmt: { source: Local };
  ResultSetAddStmt: { value: Local };
}

export type StatementType = keyof Fields;
export type StatementOf<T extends StatementType> = { type: T; at: SourceLine } & Fields[T];
export type Statement = { [T in StatementType]: StatementOf<T> }[StatementType];
