import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, it } from '@jest/globals';
import { moduleProvider } from '../../../../src/gate/facts/providers/module';

const folder = mkdtempSync(join(tmpdir(), 'modules-'));
const provider = (expression: string) => `createProvider = async (id, { n }) => (${expression})`;
const good = '{ source: "mine " + id, collect: async () => ({ value: n }) }';
const files: Record<string, string> = {
  'own.cjs': `exports.${provider(good)};`,
  'own.mjs': `await Promise.resolve();\nexport const ${provider(good)};`,
  // exports that Node cannot name before it runs the file: they come as `default`
  'default.cjs': `module.exports = Object.assign({}, { ${provider(good).replace(' = ', ': ')} });`,
  'node_modules/own-facts/package.json': '{"name":"own-facts","type":"module","exports":{"require":"./index.js"}}',
  'node_modules/own-facts/index.js': `export const ${provider(good)};`,
  'no-collect.cjs': `exports.${provider('{}')};`,
  'another.cjs': `exports.${provider('{ factId: "another", collect() {} }')};`,
  'throws.cjs': 'throw "tea break";',
  'fails.cjs': 'exports.createProvider = () => { throw new Error("no licence"); };',
  'described.cjs': `exports.${provider('{ factId: id, description: "mine", schema: { type: "string" }, alwaysFresh: true, collect() {} }')};`,
};
mkdirSync(join(folder, 'node_modules/own-facts'), { recursive: true });
for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
afterAll(() => rmSync(folder, { recursive: true }));

const configOf = (module: string) => {
  const times = { ttl: '15s', maxAge: '45s', timeout: '5s' };
  return { type: 'module' as const, module, options: { n: 7 }, ...times };
};

// Node's own `import()` is not to be had inside jest, so a process of its own runs the sources.
it("the provider loads CommonJS and ES modules and packages with Node's own import", async () => {
  const modules = ['./own.cjs', './own.mjs', './default.cjs', 'own-facts'];
  const script = `
    const { moduleProvider } = require(${JSON.stringify(resolve('src/gate/facts/providers/module.ts'))});
    const deps = { env: {}, configFolder: ${JSON.stringify(folder)}, configDocument: {} };
    Promise.all(${JSON.stringify(modules.map(configOf))}.map(async (config) => {
      const provider = await moduleProvider.create('level', config, {}, deps);
      return [provider.source, (await provider.collect()).value];
    })).then((found) => console.log(JSON.stringify(found)));`;
  const args = ['-r', resolve('test/support/ts-require.cjs'), '-e', script];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual(modules.map(() => ['mine level', 7]));
});

const load = (module: string, schema = {}) => {
  const importModule = (url: string) => Promise.resolve(createRequire(__filename)(fileURLToPath(url)));
  const deps = { env: {}, configFolder: folder, configDocument: {}, importModule };
  return moduleProvider.create('level', configOf(module), schema, deps);
};

it.each([
  ['./no-collect.cjs', 'has no collect function'],
  ['./another.cjs', "is for the fact 'another'"],
  ['./throws.cjs', 'it failed: tea break'],
  ['./fails.cjs', 'it failed: no licence'],
  ['./none.cjs', `it failed: there is no module at ${join(folder, 'none.cjs')}`],
  ['no-such-facts', `it failed: there is no module of that name among the packages of ${folder}`],
])('%s is refused when the release loads: %s', async (module, message) => {
  await expect((async () => load(module))()).rejects.toMatchObject({
    type: 'ConfigInvalid',
    message: expect.stringContaining(message),
    faults: [{ factId: 'level', where: 'facts.level.module' }],
  });
});

it('a module may describe its fact; the schema of input.json goes before its own', async () => {
  expect(await load('./described.cjs')).toMatchObject({
    description: 'mine',
    schema: { type: 'string' },
    alwaysFresh: true,
  });
  expect(await load('./described.cjs', { type: 'integer' })).toMatchObject({ schema: { type: 'integer' } });
});
