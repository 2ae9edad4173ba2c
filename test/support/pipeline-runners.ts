import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { ROOT } from './gate-harness';

/** What a job left behind, by the names of its outputs. */
export interface JobResult {
  code: number;
  log: string;
  outputs: Record<string, string>;
  /** a file that the job wrote, from its folder */
  file(name: string): string;
}

interface JobOptions {
  /** the checkout: where the job runs */
  folder: string;
  env: NodeJS.ProcessEnv;
  inputs: Record<string, string>;
}

interface Inputs {
  [name: string]: { default?: string; required?: boolean } | undefined;
}

/** The step of `action.yml`, as GitHub's runner starts it. */
export async function runGitHubAction({ folder, env, inputs }: JobOptions): Promise<JobResult> {
  const { inputs: declared, runs } = parse(readFileSync(join(ROOT, 'action.yml'), 'utf8')) as {
    inputs: Inputs;
    runs: { steps: { run: string; env: Record<string, string> }[] };
  };
  const [step] = runs.steps as [(typeof runs.steps)[number]];
  const values = withDefaults(declared, inputs);
  const evaluated = (text: string): string =>
    text.replace(/\$\{\{ inputs\.([\w-]+) \}\}/g, (_all, name: string) => values(name));
  const temp = join(folder, 'runner-temp');
  mkdirSync(temp, { recursive: true });
  const [script, output, summary] = ['step.sh', 'output', 'summary.md'].map((name) => join(temp, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(script, step.run);
  for (const path of [output, summary]) writeFileSync(path, '');
  const result = await run('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], folder, {
    ...env,
    ...{ CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: folder, RUNNER_TEMP: temp, RUNNER_OS: 'Linux' },
    ...{ GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary, GITHUB_RUN_ID: '1', GITHUB_RUN_ATTEMPT: '1' },
    ...Object.fromEntries(Object.entries(step.env).map(([name, text]) => [name, evaluated(text)])),
  });
  return { ...result, outputs: pairs(readFileSync(output, 'utf8')), file: fileOf(folder) };
}

/** The script of the component, as GitLab's runner starts it in an image that has no bash. */
export async function runGitLabComponent({ folder, env, inputs }: JobOptions): Promise<JobResult> {
  const [header, jobs] = parseAllDocuments(readFileSync(join(ROOT, 'ci', 'gitlab', 'deploy.yml'), 'utf8')).map(
    (document): unknown => document.toJS(),
  ) as [{ spec: { inputs: Inputs } }, Record<string, { script: string[]; variables: Record<string, string> }>];
  const values = withDefaults(header.spec.inputs, inputs);
  const evaluated = (text: string): string =>
    text.replace(/\$\[\[ inputs\.([\w-]+) \]\]/g, (_all, name: string) => values(name));
  const [job] = Object.values(jobs) as [(typeof jobs)[string]];
  const variables: NodeJS.ProcessEnv = { CI_COMMIT_TAG: 'v1.4.0', ...env };
  const expanded = (text: string): string =>
    evaluated(text).replace(
      /\$(?:\{(\w+)\}|(\w+))/g,
      (_all, one?: string, other?: string) => variables[(one ?? other)!] ?? '',
    );
  const result = await run('sh', ['-e', '-c', job.script.map(evaluated).join('\n')], folder, {
    ...variables,
    ...{ CI: 'true', GITLAB_CI: 'true', CI_PROJECT_DIR: folder, CI_JOB_ID: '1', CI_PIPELINE_ID: '1' },
    ...Object.fromEntries(Object.entries(job.variables).map(([name, text]) => [name, expanded(text)])),
  });
  return { ...result, outputs: pairs(fileOf(folder)('gate-deploy.env')), file: fileOf(folder) };
}

/** A folder with the built `gate` command, to be put on a PATH. */
export function gateOnPath(folder: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const script = `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'dist', 'cli', 'main.js')}' "$@"\n`;
  writeFileSync(join(bin, 'gate'), script);
  chmodSync(join(bin, 'gate'), 0o755);
  return bin;
}

/** Lines of a shell, each of which must succeed. */
export function runShell(script: string, folder: string, env: NodeJS.ProcessEnv) {
  return run('sh', ['-e', '-c', script], folder, env);
}

const fileOf =
  (folder: string) =>
  (name: string): string =>
    readFileSync(join(folder, name), 'utf8');

function withDefaults(declared: Inputs, given: Record<string, string>): (name: string) => string {
  for (const name of Object.keys(given)) if (declared[name] === undefined) throw new Error(`unknown input ${name}`);
  return (name) => {
    const value = given[name] ?? declared[name]?.default;
    if (value === undefined) throw new Error(`input ${name} is required`);
    return value;
  };
}

function pairs(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line !== '');
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

async function run(command: string, args: string[], cwd: string, env: NodeJS.ProcessEnv) {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (log += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? -1, log };
}
