import { describe, expect, it } from '@jest/globals';
import { createTerminal } from '../../../src/platform/observability/terminal';
import { createProgress } from '../../../src/platform/tools/install/progress';
import { PINNED_DIGESTS, PINNED_MODULES } from '../../../src/platform/tools/pinned-digests';
import { isToolName, platformOf, TOOLS, type ToolName } from '../../../src/platform/tools/tool-spec';

describe('what is published', () => {
  it.each([
    ['linux', 'x64', { os: 'linux', arch: 'amd64' }],
    ['darwin', 'arm64', { os: 'darwin', arch: 'arm64' }],
    ['win32', 'x64', undefined],
    ['linux', 'riscv64', undefined],
  ])('what is published for %s %s is %j', (platform, arch, expected) => {
    expect(platformOf(platform, arch)).toEqual(expected);
  });

  it.each<[ToolName, string]>([
    ['temporal', 'temporal_cli_1.5.1_darwin_arm64.tar.gz'],
    ['opa', 'opa_darwin_arm64_static'],
    ['crane', 'go-containerregistry_Darwin_arm64.tar.gz'],
    ['versitygw', 'versitygw_v1.8.0_Darwin_arm64.tar.gz'],
  ])('what is published of %s for a Mac is %s', (tool, name) => {
    expect(TOOLS[tool].asset({ os: 'darwin', arch: 'arm64' }).name).toBe(name);
  });

  it.each<[ToolName, string, boolean]>([
    ['temporal', 'temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)', true],
    ['temporal', 'temporal version 0.0.0-DEV (Server 1.29.1, UI 2.42.1)', true],
    ['temporal', 'temporal version 1.5.10 (Server 1.29.1)', false],
    ['temporal', 'temporal version 0.0.0-DEV (Server 1.30.0)', false],
    ['opa', 'Version: 1.22.2\nBuild Commit: ', true],
    ['opa', 'Version: 1.22.20', false],
    ['crane', 'v0.22.1', true],
    ['crane', '0.22.10', false],
    ['versitygw', 'Version  : v1.8.0', true],
    ['versitygw', 'Version  : v1.7.0', false],
  ])('%s that prints %j is accepted: %s', (tool, printed, expected) => {
    expect(TOOLS[tool].accepts(printed)).toBe(expected);
  });

  it('of each tool the module that is built is pinned, and of each but opa what is published', () => {
    for (const spec of Object.values(TOOLS)) {
      expect(PINNED_MODULES[spec.goModule]).toMatch(/^h1:[A-Za-z0-9+/]{43}=$/);
      expect(spec.goPackage.startsWith(spec.goModule.split('@')[0]!)).toBe(true);
      expect(spec.releaseUrl).toMatch(/^https:/);
    }
    const platforms = (['linux', 'darwin'] as const).flatMap((os) =>
      (['amd64', 'arm64'] as const).map((arch) => ({ os, arch })),
    );
    for (const tool of ['temporal', 'crane', 'versitygw'] as const)
      for (const platform of platforms)
        expect(PINNED_DIGESTS[TOOLS[tool].asset(platform).name]).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    ['opa', true],
    ['toString', false],
  ])('%s is a known tool: %s', (name, expected) => {
    expect(isToolName(name)).toBe(expected);
  });
});

describe('progress', () => {
  it('progress is rewritten in place on a terminal, which no text of a tool can steer', () => {
    const written: string[] = [];
    const terminal = createTerminal({ isTTY: true, write: (text: string) => written.push(text) });
    const progress = createProgress(() => undefined, terminal);
    progress.bytes(1_500_000, 3_000_000);
    progress.line('compiling \u001b[2Jb');
    progress.end();
    progress.end();
    expect(written.map((text) => text.trim())).toEqual(['\u001b[G1.5 of 3.0 MB', '\u001b[Gcompiling \\u001b[2Jb', '']);
  });

  it('progress is a plain line every ten seconds elsewhere', () => {
    const lines: string[] = [];
    let now = 0;
    const terminal = { isTTY: false, write: () => true };
    const progress = createProgress(
      (line) => void lines.push(line),
      terminal,
      () => now,
    );
    for (now of [9_999, 10_000, 19_999, 20_000]) progress.bytes(now * 1_000, undefined);
    expect(lines).toEqual(['  10.0 MB', '  20.0 MB']);
  });
});
