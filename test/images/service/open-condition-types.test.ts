import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GateError } from '../../../src/kernel/failures';
import { openConditionTypes, type ConditionTypesOptions } from '../../../src/images/service/open-condition-types';

describe('modules of condition types', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gate-condition-types-'));
    writeFileSync(
      join(folder, 'good.cjs'),
      'exports.createConditionType = (name, options) => ({ values: () => [name, options.level ?? "none"] });',
    );
    writeFileSync(join(folder, 'empty.cjs'), '');
    writeFileSync(join(folder, 'wrong.cjs'), 'exports.createConditionType = () => ({ value: () => [] });');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const open = (options: Partial<ConditionTypesOptions>) =>
    openConditionTypes({
      modules: {},
      folder,
      importModule: (url) => Promise.resolve(createRequire(__filename)(fileURLToPath(url))),
      ...options,
    });

  it('make the types that they name, with their options', async () => {
    const types = await open({ modules: { scan: { module: './good.cjs', options: { level: 'high' } } } });
    expect(await types.get('scan')?.values({} as never, undefined, new AbortController().signal)).toEqual([
      'scan',
      'high',
    ]);
  });

  it('are refused with every fault at once', async () => {
    const own = { values: () => [] };
    const error = await open({
      modules: {
        empty: { module: './empty.cjs' },
        wrong: { module: './wrong.cjs' },
        none: { module: './none.cjs' },
        tag: { module: './good.cjs' },
        twice: { module: './good.cjs' },
      },
      own: { twice: own, label: own },
    }).catch((failure: unknown) => failure);
    const messages = error instanceof GateError ? error.faults.map(({ message }) => message).sort() : [];
    expect(messages).toEqual([
      expect.stringContaining(
        'to have another name than tag, label, annotation, registry, repository, metadata, got label',
      ),
      expect.stringContaining('got tag'),
      expect.stringMatching(
        /^Expected one condition type twice, got policy.conditionTypes.twice and the program's own/,
      ),
      expect.stringMatching(/conditionTypes.empty '.*' to export createConditionType\(name, options\): it does not/),
      expect.stringMatching(/conditionTypes.none '.*there is no module/),
      expect.stringMatching(/conditionTypes.wrong '.*has no values function/),
    ]);
  });
});
