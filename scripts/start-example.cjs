// `npm start -- …` in a folder of examples/: runs the example's main.ts as it is, with the paths of that folder. npm starts the
// script of the package above and tells in INIT_CWD where it was called.
const { existsSync } = require('node:fs');
const { join } = require('node:path');
require('../test/support/ts-require.cjs');

const folder = process.env.INIT_CWD ?? process.cwd();
const main = join(folder, 'main.ts');
if (!existsSync(main)) {
  console.error('Expected `npm start` in the folder of an example: cd examples/worker');
  process.exit(2);
}
process.chdir(folder);
require(main);
