import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from '@jest/globals';
import type { ProviderConfig } from '../../../../src/releases/config/release-config';
import { PROVIDER_KINDS } from '../../../../src/gate/facts/providers';
import { startScriptedSource } from '../../../support/scripted-source';
import { describeProvider, SECRET } from './provider.contract';

const folder = mkdtempSync(join(tmpdir(), 'providers-'));
writeFileSync(join(folder, 'token'), `${SECRET}\n`);
// A person's own provider: whatever it throws, its source failed; what it answers is checked against the schema.
const own = `exports.createProvider = (factId, { base, token }) => ({
  async collect(target, signal) {
    const response = await fetch(base, { signal, headers: { authorization: 'Bearer ' + token } });
    if (!response.ok) throw new Error('status ' + response.status);
    return { value: (await response.json())?.value };
  },
});`;
writeFileSync(join(folder, 'own.cjs'), own);
afterAll(() => rmSync(folder, { recursive: true }));

const deps = {
  env: { TOKEN: SECRET },
  configFolder: folder,
  configDocument: { limits: { 'a/b': 3 } },
  importModule: (url: string) => Promise.resolve(createRequire(__filename)(fileURLToPath(url))),
};
const create = (config: object) => {
  const times = { ttl: '15s', maxAge: '45s', timeout: '5s' };
  const full = { ...times, ...config } as ProviderConfig;
  const kind = PROVIDER_KINDS.find(({ type }) => type === full.type);
  if (kind === undefined) throw new Error('no such kind');
  return kind.create('level', full, { type: 'number' }, deps);
};
const fromFile = { bearerToken: { file: 'token' } };
const fromEnv = { bearerToken: { env: 'TOKEN' } };

describeProvider('levelServer', (base) => create({ type: 'levelServer', base, ...fromFile }), { value: 7 });
describeProvider('http', (url) => create({ type: 'http', url, value: 'value', ...fromEnv }), { value: 7 });
describeProvider('prometheus', (base) => create({ type: 'prometheus', base, query: 'vector(7)', ...fromFile }), {
  status: 'success',
  data: { resultType: 'scalar', result: [Date.now() / 1000, '7'] },
});
describeProvider(
  'module',
  (base) => create({ type: 'module', module: './own.cjs', options: { base, token: SECRET } }),
  {
    value: 7,
  },
);

it('the provider config asks no one and is always fresh', async () => {
  const provider = await create({ type: 'config', path: '/limits/a~1b' });
  expect(provider.alwaysFresh).toBe(true);
  expect(await provider.collect({} as never, new AbortController().signal)).toEqual({ value: 3 });
});

it.each([
  ['a path that is no pointer', { type: 'config', path: 'limits' }],
  ['a JSON Pointer with a bare ~', { type: 'http', url: 'http://h', value: '/a~b' }],
  ['a broken JMESPath', { type: 'http', url: 'http://h', value: 'a[' }],
  ['a broken JMESPath to the time', { type: 'http', url: 'http://h', value: '/a', time: 'a[' }],
  ['a URL that is none', { type: 'http', url: 'nowhere', value: '/a' }],
  ['a base with a query', { type: 'prometheus', base: 'http://h/?team=a', query: 'm' }],
  ['a query whose age is unclear', { type: 'prometheus', base: 'http://h', query: 'm or vector(0)' }],
  ['an unknown parameter', { type: 'http', url: 'http://h/{region}', value: '/a' }],
  ['an unknown parameter of a header', { type: 'http', url: 'http://h', value: '/a', headers: { x: '{region}' } }],
  ['a stand-in of another type', { type: 'http', url: 'http://h', value: '/a', onMissing: { use: 'none' } }],
  ['a written value of another type', { type: 'static', value: 'none' }],
  ['an expression without the schema of its answer', { type: 'http', url: 'http://h', value: 'sum(items[].n)' }],
  ['a URL with a password', { type: 'prometheus', base: 'http://u:p@h', query: 'm' }],
])('%s is refused when the release loads', async (_, config) => {
  await expect((async () => create(config))()).rejects.toMatchObject({ type: 'ConfigInvalid' });
});

/** For an expression that is more than a path. */
const answer = { type: 'object', required: ['text'], properties: { text: { type: 'string' } } };

it.each([
  ['nothing at the pointer', '/none', undefined],
  ['null at the pointer', '/nothing', undefined],
  ['a value that the expression cannot take', 'abs(text)', undefined],
  ['a time of another form', '/value', '/text'],
  ['no time', '/value', '/none'],
  ['a list without the place', '/list/01', undefined],
])('http: %s is FactInvalid', async (_, value, time) => {
  const source = await startScriptedSource();
  source.script = (__, response) => void response.end('{"value":7,"text":"x","nothing":null,"list":[1,2]}');
  try {
    const provider = await create({
      type: 'http',
      url: source.url,
      value,
      time,
      ...(value === 'abs(text)' ? { answer } : {}),
    });
    const asked = provider.collect({ deploymentId: 'd', stage: 's' } as never, new AbortController().signal);
    await expect(asked).rejects.toMatchObject({ type: 'FactInvalid' });
  } finally {
    await source.close();
  }
});
