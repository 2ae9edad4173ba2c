import { describe, expect, it } from '@jest/globals';
import { namesNotAllowed, type AllowedNames } from '../../../src/gate/facts/allowed-names';
import type { ProviderConfig } from '../../../src/releases/config/release-config';

const NOTHING: AllowedNames = { modules: [], env: [], files: [] };
const FACTS = {
  code: { type: 'module', module: './code.mjs' },
  packaged: { type: 'module', module: 'a-package' },
  asked: {
    type: 'http',
    url: 'https://example.test/',
    value: '/a',
    headers: { 'x-key': { file: 'key' } },
    bearerToken: { env: 'TOKEN' },
    tls: { caFile: '/etc/ca.pem', certFile: '../cert.pem' },
  },
} as unknown as Record<string, ProviderConfig>;

describe('what a release may name', () => {
  it.each([
    ['in one folder', { configFolder: '/gate', settingsFolder: '/gate' }],
    ['in folders of their own', { configFolder: '/gate/releases', settingsFolder: '/gate' }],
  ])('the lines that a fault prints allow the name, with configuration and settings %s', (_where, folders) => {
    const faults = namesNotAllowed(FACTS, NOTHING, folders);
    expect(faults.map(({ where }) => where)).toEqual([
      'facts.code.module',
      'facts.packaged.module',
      'facts.asked.headers.x-key',
      'facts.asked.bearerToken',
      'facts.asked.tls.caFile',
      'facts.asked.tls.certFile',
    ]);
    const allowed = { modules: [] as string[], env: [] as string[], files: [] as string[] };
    for (const { message } of faults) {
      const [, kind, name] = /add to the settings: release: \{ allow: \{ (\w+): \[("[^"]*")\] \} \}$/.exec(message)!;
      allowed[kind as keyof AllowedNames].push(JSON.parse(name!) as string);
    }
    expect(namesNotAllowed(FACTS, allowed, folders)).toEqual([]);
  });

  it('a path is allowed by where it leads from the settings, not by how it is written', () => {
    const folders = { configFolder: '/gate/releases', settingsFolder: '/gate' };
    const code = { code: FACTS.code! };
    expect(namesNotAllowed(code, { ...NOTHING, modules: ['releases/../releases/code.mjs'] }, folders)).toHaveLength(1);
    expect(namesNotAllowed(code, { ...NOTHING, modules: ['./releases/code.mjs'] }, folders)).toEqual([]);
    expect(namesNotAllowed(code, { ...NOTHING, modules: ['./code.mjs'] }, folders)).toHaveLength(1);
  });
});
