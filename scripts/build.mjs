// `npm run build`: dist/ from nothing. What a file that moved left behind would otherwise be found before the new one.
// It is built beside the one that is there and takes its place whole, so that no running worker loses a file meanwhile.
// With `--if-changed` (npm's `prepare`, and tests) nothing is done while dist/ was built from what is here now.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [BUILT, NEXT, FORMER] = ['dist', 'dist.new', 'dist.old'];
const INPUTS = '.inputs';

const inputs = digestOfInputs();
const isBuilt = existsSync(join(BUILT, INPUTS)) && readFileSync(join(BUILT, INPUTS), 'utf8') === inputs;
if (!(process.argv.includes('--if-changed') && isBuilt)) build();

function build() {
  rmSync(NEXT, { recursive: true, force: true });
  for (const args of [
    ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', NEXT],
    ['scripts/bundle-workflows.mjs', NEXT],
  ]) {
    const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
    if (status !== 0) process.exit(status ?? 1);
  }
  // npm makes a command executable when it links it, which a build after that must not undo.
  chmodSync(join(NEXT, 'cli', 'main.js'), 0o755);
  writeFileSync(join(NEXT, INPUTS), inputs);
  rmSync(FORMER, { recursive: true, force: true });
  if (existsSync(BUILT)) renameSync(BUILT, FORMER);
  renameSync(NEXT, BUILT);
  rmSync(FORMER, { recursive: true, force: true });
}

/** Of everything that decides what is built: sources, their configuration, and the versions of what they use. */
function digestOfInputs() {
  const files = [
    ...['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'],
    ...['scripts/build.mjs', 'scripts/bundle-workflows.mjs'],
    ...filesIn('src'),
  ].filter((file) => existsSync(file));
  const digest = createHash('sha256');
  for (const file of files) {
    const bytes = readFileSync(file);
    digest.update(`${file} ${bytes.length}\n`).update(bytes);
  }
  return digest.digest('hex');
}

function filesIn(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .sort(({ name: one }, { name: other }) => (one < other ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesIn(path) : [path];
    });
}
