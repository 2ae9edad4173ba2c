import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { diagnose } from '../../../src/clients/doctor/diagnose';
import { loadSettings } from '../../../src/settings/load-settings';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-doctor-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the doctor finds under these settings; Temporal is not waited for, because its profile does not exist. */
async function findings(settings: object) {
  const file = join(folder, 'settings.json');
  writeFileSync(file, JSON.stringify(settings));
  const env = { ...process.env, TEMPORAL_PROFILE: 'absent' };
  return diagnose({
    openSettings: () => loadSettings(file, env, folder),
    settingsFrom: file,
    env,
    signal: new AbortController().signal,
  });
}

describe('the doctor', () => {
  it('the doctor names every fault of settings that cannot be opened, and looks no further', async () => {
    const found = await findings({ unknown: 1, audit: { store: { type: 'paper' } } });
    expect(found.map(({ what }) => what)).toEqual(['node', 'temporal', 'opa', 'settings']);
    expect(found.at(-1)).toMatchObject({ state: 'missing', found: expect.stringMatching(/unknown.*; .*type/) });
  });

  it('the doctor looks at every part, also after one that is missing', async () => {
    const found = await findings({
      release: { manifest: join(folder, 'absent.json') },
      audit: { store: { type: 'none' }, mask: ['/input/secret'] },
    });
    expect(found.slice(3).map(({ what, state }) => [what, state])).toEqual([
      ['settings', 'ok'],
      ['release', 'missing'],
      ['temporal server', 'missing'],
      ['encryption', 'missing'],
      ['audit store', 'note'],
      ['alerts', 'note'],
    ]);
  });
});
