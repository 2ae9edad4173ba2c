import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { PATCHES } from '../../../src/gate/deployments/patches';

const WORKFLOWS = join(__dirname, '..', '..', '..', 'src', 'workflows');

/** The workflow code, by file. */
const sources = readdirSync(WORKFLOWS, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, text: readFileSync(join(WORKFLOWS, name), 'utf8') }));

describe('the patches of the workflow code', () => {
  it('the patches of the workflow code are those that the defaults name', () => {
    const found = sources.flatMap(({ text }) => [...text.matchAll(/\w+_PATCH(?:: Patch)? = '([^']+)'/g)]);
    expect(new Set(found.map(([, id]) => id))).toEqual(new Set(PATCHES));
  });

  it('the patches of the workflow code are asked for in one place, which needs no marker in new runs', () => {
    const asking = sources.filter(({ text }) => /\bpatched\(|\bdeprecatePatch\(/.test(text)).map(({ name }) => name);
    expect(asking).toEqual([join('parts', 'patches.ts')]);
  });
});
