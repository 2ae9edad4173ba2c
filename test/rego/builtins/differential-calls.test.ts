import { describe, expect, it } from '@jest/globals';
import { BUILTINS } from '../../../src/rego/builtins';
import { CALL_SHAPES } from './call-shapes';
import { certificateCall } from './certificate-calls';
import { graphqlCall } from './graphql-calls';
import { askOpa, askTable, expression } from './opa-calls';
import { schemaCall } from './schema-calls';
import { templateCall } from './template-calls';
import { yamlCall } from './yaml-calls';
import { randomCalls, type MakeCall } from './random-calls';

/** A run of hand: `CALLS=20000 SEED=7 npx jest test/rego/builtins/differential-calls`. */
const CALLS = Number(process.env.CALLS ?? 600);
const SEED = Number(process.env.SEED ?? 1);
/** in one module, so that OPA compiles it in seconds */
const BATCH = 2_000;

/** Families whose operands only mean something together. */
const MADE: Record<string, MakeCall> = {
  certificates: certificateCall,
  yaml: yamlCall,
  graphql: graphqlCall,
  schemas: schemaCall,
  templates: templateCall,
};
/** What OPA reads in one module: a call with certificates is some kilobytes. */
const FAMILIES = [
  ...Object.entries(CALL_SHAPES).map(([name, shapes]) => ({ name, shapes, batch: BATCH })),
  ...Object.entries(MADE).map(([name, shapes]) => ({ name, shapes, batch: BATCH / 4 })),
];

describe('the table of built-ins answers random calls as opa eval does', () => {
  it.each(FAMILIES)('$name', async ({ shapes, batch }) => {
    const different: { call: string; opa: string; found: string }[] = [];
    for (let done = 0; done < CALLS; done += batch) {
      const calls = randomCalls(SEED + done, Math.min(batch, CALLS - done), shapes);
      const answers = await askOpa(calls);
      calls.forEach((call, index) => {
        const [opa, found] = [answers[index]!, askTable(call)];
        if (opa !== found) different.push({ call: expression(call), opa, found });
      });
    }
    expect(different).toEqual([]);
  });

  it('every name that the random calls try is in the table of built-ins', () => {
    const names = Object.values(CALL_SHAPES).flatMap((shapes) => Object.keys(shapes));
    expect(names.filter((name) => !Object.hasOwn(BUILTINS, name))).toEqual([]);
  });
});
