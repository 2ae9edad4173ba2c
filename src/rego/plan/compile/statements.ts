import type { Block, Statement } from '../plan';
import type { Step } from '../run';
import { compileCall, compileCallDynamic, compileWith } from './calls';
import {
  compileBlock,
  compileBreak,
  compileIsDefined,
  compileIsUndefined,
  compileNop,
  compileNot,
  compileResult,
  compileReturn,
} from './control';
import { compileDot, compileLength, compileScan } from './lookups';
import {
  compileAdd,
  compileAppend,
  compileAssign,
  compileAssignOnce,
  compileInsert,
  compileInsertOnce,
  compileInteger,
  compileMakeArray,
  compileMakeNull,
  compileMakeObject,
  compileMakeSet,
  compileMerge,
  compileNumber,
  compileReset,
} from './make';
import type { CompileStatement, Scope } from './scope';
import { compileEqual, compileIsArray, compileIsObject, compileIsSet, compileNotEqual } from './tests';

/** Every statement that OPA's planner makes. */
const COMPILERS: { readonly [T in Statement['type']]: CompileStatement<T> } = {
  NopStmt: compileNop,
  AssignIntStmt: compileInteger,
  AssignVarStmt: compileAssign,
  AssignVarOnceStmt: compileAssignOnce,
  ResetLocalStmt: compileReset,
  MakeNullStmt: compileMakeNull,
  MakeNumberIntStmt: compileInteger,
  MakeNumberRefStmt: compileNumber,
  MakeArrayStmt: compileMakeArray,
  MakeObjectStmt: compileMakeObject,
  MakeSetStmt: compileMakeSet,
  EqualStmt: compileEqual,
  NotEqualStmt: compileNotEqual,
  IsArrayStmt: compileIsArray,
  IsObjectStmt: compileIsObject,
  IsSetStmt: compileIsSet,
  IsDefinedStmt: compileIsDefined,
  IsUndefinedStmt: compileIsUndefined,
  ArrayAppendStmt: compileAppend,
  ObjectInsertStmt: compileInsert,
  ObjectInsertOnceStmt: compileInsertOnce,
  ObjectMergeStmt: compileMerge,
  SetAddStmt: compileAdd,
  DotStmt: compileDot,
  LenStmt: compileLength,
  ScanStmt: compileScan,
  NotStmt: compileNot,
  BlockStmt: compileBlock,
  BreakStmt: compileBreak,
  CallStmt: compileCall,
  CallDynamicStmt: compileCallDynamic,
  WithStmt: compileWith,
  ReturnLocalStmt: compileReturn,
  ResultSetAddStmt: compileResult,
};

export function compileStatement<S extends Statement>(statement: S, scope: Scope, rest: Block): Step {
  const compile = COMPILERS[statement.type] as CompileStatement<S['type']>;
  return compile(statement as never, scope, rest);
}
