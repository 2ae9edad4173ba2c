import { beforeAll, describe, expect, it } from '@jest/globals';
import { PlanInvalidError, readPlan } from '../../../src/rego/plan/read-plan';
import { planOf } from './plan-fixture';

const SOURCE = `package p

import rego.v1

big := 9223372036854775807
fraction := 1.5
found := input.a.b
all_positive if every x in input.xs { x > 0 }
`;

interface Statement {
  type: string;
  stmt: Record<string, unknown>;
}
interface PlanDocument {
  static: { strings: { value: string }[] };
  funcs: { funcs: { name: string; params: number[]; blocks: { stmts: Statement[] }[] }[] };
  plans: { plans: { name: string; blocks: { stmts: Statement[] }[] }[] };
}

let text: string;
beforeAll(async () => {
  text = await planOf({ 'p.rego': SOURCE }, 'p/big', 'p/fraction', 'p/found', 'p/all_positive');
});

const messageOf = (plan: unknown): string => {
  try {
    readPlan(typeof plan === 'string' ? plan : JSON.stringify(plan));
  } catch (error) {
    expect(error).toBeInstanceOf(PlanInvalidError);
    return (error as Error).message;
  }
  throw new Error('The plan was read');
};

/** A plan with one function, which holds one statement. */
const withStatement = (statement: unknown): PlanDocument =>
  ({
    static: { strings: [{ value: 'a' }], files: [] },
    plans: { plans: [] },
    funcs: {
      funcs: [{ name: 'g0.f', params: [0, 1], return: 2, blocks: [{ stmts: [statement] }], path: ['g0', 'f'] }],
    },
  }) as unknown as PlanDocument;
const local = (value: unknown): object => ({ type: 'local', value });

describe('reading a plan', () => {
  it("the reader of a plan understands every statement of OPA's planner, with the line that it comes from", () => {
    const plan = readPlan(text);
    expect(plan.entrypoints.map(({ name }) => name)).toEqual(['p/big', 'p/fraction', 'p/found', 'p/all_positive']);
    const found = plan.functions.find(({ name }) => name === 'g0.data.p.found')!;
    expect(found.path).toEqual(['g0', 'p', 'found']);
    const dots = found.blocks.flat().filter(({ type }) => type === 'DotStmt');
    expect(dots.map(({ at }) => at.row)).toEqual([7, 7]);
    expect(dots[0]!.at.file).toMatch(/p\.rego$/);
  });

  it('the reader of a plan keeps all digits of an integer of 64 bits', () => {
    const big = readPlan(text).functions.find(({ name }) => name === 'g0.data.p.big')!;
    const values = big.blocks
      .flat()
      .flatMap((one) => ('value' in one && typeof one.value === 'bigint' ? [one.value] : []));
    expect([...values, ...big.blocks.flat().flatMap((one) => ('text' in one ? [one.text] : []))].map(String)).toContain(
      '9223372036854775807',
    );
  });

  it.each([
    ['', /Unexpected end/],
    ['[]', 'plan.json: expected an object, got a list'],
    ['{"static":{},"more":1}', 'plan.json: unknown field "more"'],
    ['{"static":{"strings":[1]}}', 'static.strings: expected an object, got 1'],
    ['{"plans":{"plans":{}}}', 'plans.plans: expected a list, got an object'],
  ])('the reader of a plan refuses the text %s', (plan, message) => {
    if (typeof message === 'string') expect(messageOf(plan)).toBe(message);
    else expect(messageOf(plan)).toMatch(message);
  });

  it.each<[unknown, string]>([
    [{ type: 'EvalStmt', stmt: {} }, 'unknown statement "EvalStmt"'],
    [{ type: 'constructor', stmt: {} }, 'unknown statement "constructor"'],
    [{ type: 'NopStmt', stmt: { code: 'x' } }, 'NopStmt: unknown field "code"'],
    [{ type: 'NopStmt', stmt: {}, more: 1 }, 'stmts: unknown field "more"'],
    [{ type: 'NopStmt', stmt: null }, 'NopStmt: expected an object'],
    [{ type: 'MakeNullStmt', stmt: {} }, 'MakeNullStmt.target: expected an integer from 0 to 99999, got nothing'],
    [
      { type: 'MakeNullStmt', stmt: { target: -1 } },
      'MakeNullStmt.target: expected an integer from 0 to 99999, got -1',
    ],
    [{ type: 'MakeNullStmt', stmt: { target: 1e9 } }, 'MakeNullStmt.target: expected an integer'],
    [{ type: 'MakeNullStmt', stmt: { target: '__proto__' } }, 'MakeNullStmt.target: expected an integer'],
    [{ type: 'MakeNumberIntStmt', stmt: { target: 2, value: 1.5 } }, 'expected an integer of 64 bits, got 1.5'],
    [{ type: 'MakeNumberIntStmt', stmt: { target: 2, value: 2 ** 64 } }, 'expected an integer of 64 bits'],
    [{ type: 'MakeNumberRefStmt', stmt: { target: 2, Index: 0 } }, 'expected the text of a number, got "a"'],
    [{ type: 'MakeNumberRefStmt', stmt: { target: 2, Index: 7 } }, 'no string 7 among 1'],
    [{ type: 'EqualStmt', stmt: { a: local(0), b: { type: 'js', value: 'x' } } }, 'EqualStmt.b: unknown operand "js"'],
    [
      { type: 'EqualStmt', stmt: { a: local(0), b: { type: 'bool', value: 1 } } },
      'EqualStmt.b: expected true or false',
    ],
    [{ type: 'BreakStmt', stmt: { index: -1 } }, 'BreakStmt.index: expected an integer'],
    [{ type: 'ScanStmt', stmt: { source: 0, key: 2, value: 3, block: { stmts: 1 } } }, 'stmts: expected a list, got 1'],
    [{ type: 'CallStmt', stmt: { func: ['x'], args: [], result: 2 } }, 'CallStmt.func: expected a string, got a list'],
    [{ type: 'MakeNullStmt', stmt: { target: 2, row: 'x' } }, 'row: expected an integer'],
  ])('the reader of a plan refuses the statement %j', (statement, message) => {
    expect(messageOf(withStatement(statement))).toContain(message);
    expect(messageOf(withStatement(statement))).toMatch(/^g0\.f: /);
  });

  it('the reader of a plan refuses blocks within one another beyond what a planner makes', () => {
    const plan = JSON.stringify(withStatement({ type: 'NotStmt', stmt: { block: 'HERE' } }));
    const nested = (depth: number) => {
      const open = '{"stmts":[{"type":"NotStmt","stmt":{"block":'.repeat(depth);
      return plan.replace('"HERE"', `${open}{"stmts":[]}${'}}]}'.repeat(depth)}`);
    };
    expect(messageOf(nested(1_100))).toMatch(/at most 1000 blocks|call stack/);
    expect(messageOf(nested(100_000))).toMatch(/call stack/);
    expect(readPlan(nested(200)).functions).toHaveLength(1);
  });

  it('the reader of a plan refuses two functions of one name', () => {
    const plan = withStatement({ type: 'NopStmt', stmt: {} });
    plan.funcs.funcs.push(plan.funcs.funcs[0]!);
    expect(messageOf(plan)).toBe('funcs has g0.f twice');
  });

  it.each(['no.such', 'constructor', 'hasOwnProperty', '__proto__', 'toString'])(
    'a plan that calls %s is refused by that name',
    (func) => {
      const plan = withStatement({ type: 'CallStmt', stmt: { func, args: [], result: 3 } });
      expect(messageOf(plan)).toBe(`calls ${func}, which is no built-in here`);
    },
  );
});
