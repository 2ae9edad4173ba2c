import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BUILTINS } from '../../../src/rego/builtins';
import { BuiltinError } from '../../../src/rego/builtins/builtin';
import { EvaluationBudget } from '../../../src/rego/builtins/plan-builtin';
import { formatValue } from '../../../src/rego/builtins/rego-format';
import type { RegoValue } from '../../../src/rego/values/value';
import { writeValue } from '../../../src/rego/values/wasm-text';
import { inFolder, opa } from '../../support/build-policy';

/** A built-in with its operands. */
export interface Call {
  name: string;
  operands: RegoValue[];
}

/** What a call gives, as text: the value as Rego prints it, with its spelling of numbers, or `undefined`. */
export type Answer = string;

/** How Rego prints a byte that is no UTF-8, which a JavaScript string cannot hold (docs/built-ins.md). */
const NOT_UTF8 = /\\x[89a-f][0-9a-f]/g;

/** The names that a policy cannot write as a call, with the operator that stands for them. */
const INFIX: Readonly<Record<string, string>> = { 'internal.member_2': 'in' };

/**
 * What `opa eval` says to each call, in one run. The operands are hidden behind `object.get`, so that OPA's check of types,
 * which would refuse many a call before it is tried, knows nothing of them; of version 0, since that has deprecated
 * built-ins too.
 */
export function askOpa(calls: readonly Call[]): Promise<Answer[]> {
  return inFolder(async (folder) => {
    const rules = calls.map((call, index) => `r${index} = sprintf("%v", [[x]]) { x := ${expression(call)} }`);
    const rego = join(folder, 'calls.rego');
    // OPA's parser refuses the byte-order mark where it stands as it is
    const module = ['package calls', 'import future.keywords.in', ...rules].join('\n');
    await writeFile(rego, module.replaceAll('\ufeff', '\\ufeff'));
    const answers = JSON.parse(
      await opa('eval', '-d', rego, '--v0-compatible', '--format', 'raw', 'data.calls'),
    ) as Record<string, string>;
    return calls.map((_, index) => answers[`r${index}`]?.slice(1, -1)?.replace(NOT_UTF8, '\ufffd') ?? 'undefined');
  });
}

export function expression({ name, operands }: Call): string {
  const texts = operands.map((operand) => `object.get({0: ${writeValue(operand)}}, 0, 0)`);
  return INFIX[name] === undefined ? `${name}(${texts.join(', ')})` : `${texts[0]} ${INFIX[name]} ${texts[1]}`;
}

/** What the table of built-ins says to a call. */
export function askTable({ name, operands }: Call): Answer {
  try {
    const value = BUILTINS[name]!(operands, { decisionTimeNs: 0n, budget: new EvaluationBudget() });
    return value === undefined ? 'undefined' : formatValue(value);
  } catch (error) {
    if (error instanceof BuiltinError) return 'undefined';
    throw error;
  }
}
