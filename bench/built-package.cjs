// `node -r ./bench/built-package.cjs bench/main.ts`: the benchmark is written against the sources, whose types it shares,
// and measures the package as built: what it asks of src/ is taken from dist/.
const { existsSync } = require('node:fs');
const Module = require('node:module');
const { join, resolve, sep } = require('node:path');
require('../test/support/ts-require.cjs');

const dist = resolve(__dirname, '../dist');
if (!existsSync(join(dist, 'index.js'))) throw new Error('The package is not built: run npm run build first');

const resolveFilename = Module._resolveFilename;
Module._resolveFilename = function (request, parent, ...others) {
  const isOurs = parent?.filename?.startsWith(__dirname + sep) && request.startsWith('../src/');
  return resolveFilename.call(this, isOurs ? join(dist, request.slice('../src/'.length)) : request, parent, ...others);
};
