import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { loadSettings } from '../../../src/settings/load-settings';
import { buildPolicy } from '../../../src/rego/toolchain/build-policy';
import { gate, schemaOf, withPolicy } from '../../rego/toolchain/policy-fixture';

const ROOT = join(__dirname, '..', '..', '..');
const GUIDE = readFileSync(join(ROOT, 'docs', 'masking.md'), 'utf8');
const blocks = (language: string): string[] =>
  [...GUIDE.matchAll(/```(\w+)\n([^]*?)```/g)].flatMap(([, of, text = '']) => (of === language ? [text] : []));

it('the mask in the guide is built as printed', async () => {
  const [mask = ''] = blocks('rego');
  const schema = schemaOf({ count: { type: 'integer' }, fleet: { type: 'object' } });
  const files = { 'gate.rego': gate('input.count > 1'), 'input.json': schema, 'mask.rego': mask };
  const { bundle } = await withPolicy(files, (dir) => buildPolicy(dir));
  expect(bundle.maskEntrypoint).toBe('system/log/mask');
});

it('the settings in the guide are valid as printed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gate-guide-'));
  try {
    const file = join(folder, 'settings.pkl');
    writeFileSync(file, ['amends "modulepath:/Settings.pkl"', ...blocks('pkl')].join('\n'));
    const { settings } = await loadSettings(file, process.env, folder);
    expect(settings.audit.mask).toEqual(['/input/fleet/serial']);
    expect(settings.temporal.encryptionKeys.map(({ id }) => id)).toEqual(['2026-11', '2026-05']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
