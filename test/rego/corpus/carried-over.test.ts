import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

const ROOT = join(__dirname, '../../..');

it('the policy that docs/policies.md carries over is the one in the corpus, with a response of at most 8 lines', async () => {
  const guide = await readFile(join(ROOT, 'docs/policies.md'), 'utf8');
  const section = /### A policy from elsewhere\n([^]*?)\n### /.exec(guide)![1]!;
  const shown = [...section.matchAll(/```rego\n([^]*?)```/g)].map(([, text]) => text!);
  const [gate, admission] = await Promise.all(
    ['gate.rego', 'admission.rego'].map((name) =>
      readFile(join(ROOT, 'test/fixtures/corpus/pod-admission', name), 'utf8'),
    ),
  );
  expect(shown).toEqual([gate, admission!.slice(0, shown[1]!.length)]);
  expect(gate!.trim().split('\n').length).toBeLessThanOrEqual(8);
});
