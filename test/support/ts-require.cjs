// `node -r …/ts-require.cjs file.ts`: lets a child process of a test run the sources as they are.
const { readFileSync } = require('node:fs');
const { transformSync } = require('@swc/core');

require.extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    filename,
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs', ignoreDynamic: true },
    sourceMaps: 'inline',
  });
  // Sources that are loaded late name the files that they become; imports of packages stay as they are.
  const late = /\bimport\((['"])(\.{1,2}\/[^'"]+)\.js\1\)/g;
  module._compile(
    code.replace(late, (_whole, _quote, path) => `Promise.resolve().then(() => require('${path}.ts'))`),
    filename,
  );
};
