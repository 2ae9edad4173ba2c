// `npm run build`: dist/ from nothing. What a file that moved left behind would otherwise be found before the new one.
// It is built beside the one that is there and takes its place whole, so that no running worker loses a file meanwhile.
// With `--if-changed` (npm's `prepare`, and tests) nothing is done while dist/ was built from what is here now.
// src/proto/ is generated from proto/ first, whenever that or its generator changed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

const [BUILT, NEXT, FORMER] = ['dist', 'dist.new', 'dist.old'];
const GENERATED = join('src', 'proto');
const INPUTS = '.inputs';
/** What is made of the compiled package, in this order. */
const STEPS = ['bundle-typebox', 'prepare-checks', 'bundle-workflows', 'pack-fresh-data'].map(scriptOf);

generate();
const inputs = digestOfInputs();
const isBuilt = existsSync(join(BUILT, INPUTS)) && readFileSync(join(BUILT, INPUTS), 'utf8') === inputs;
if (!(process.argv.includes('--if-changed') && isBuilt)) build();

/** Messages and services in TypeScript, as src/ imports them. */
function generate() {
  const wanted = digestOf(['package-lock.json', 'buf.gen.yaml', ...filesIn('proto')]);
  const mark = join(GENERATED, INPUTS);
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return;
  // buf finds its plugin by the PATH.
  const PATH = [resolve('node_modules/.bin'), process.env.PATH].join(delimiter);
  run(['node_modules/@bufbuild/buf/bin/buf', 'generate'], { ...process.env, PATH });
  writeFileSync(mark, wanted);
}

function build() {
  rmSync(NEXT, { recursive: true, force: true });
  for (const args of [
    ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', NEXT],
    ...STEPS.map((step) => [step, NEXT]),
  ]) {
    run(args);
  }
  // npm makes a command executable when it links it, which a build after that must not undo.
  chmodSync(join(NEXT, 'cli', 'main.js'), 0o755);
  writeFileSync(join(NEXT, INPUTS), inputs);
  rmSync(FORMER, { recursive: true, force: true });
  if (existsSync(BUILT)) renameSync(BUILT, FORMER);
  renameSync(NEXT, BUILT);
  rmSync(FORMER, { recursive: true, force: true });
}

function scriptOf(name) {
  return `scripts/${name}.mjs`;
}

/** Ends this process where the script does not end well. */
function run(args, env = process.env) {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', env });
  if (status !== 0) process.exit(status ?? 1);
}

/** Of everything that decides what is built: sources, their configuration, and the versions of what they use. */
function digestOfInputs() {
  return digestOf([
    ...['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'],
    ...[scriptOf('build'), ...STEPS],
    ...filesIn('src'),
  ]);
}

function digestOf(files) {
  const digest = createHash('sha256');
  for (const file of files.filter((name) => existsSync(name))) {
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
