import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Instruction {
  name: string;
  rest: string;
}

export interface BuiltStage {
  /** the folder that stands for `/` */
  root: string;
  env: Record<string, string>;
  entrypoint: string[];
  command: string[];
}

/** The instructions of a Dockerfile, comments left out, continued lines joined. */
export function parseDockerfile(text: string): Instruction[] {
  return text
    .replace(/^\s*#.*$/gm, '')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [name = ''] = line.split(/\s+/, 1);
      return { name, rest: line.slice(name.length).trim() };
    });
}

/**
 * Runs a Dockerfile's steps without Docker: every stage is a folder, COPY copies, RUN is a shell command in it. Base images
 * are this machine; what is copied from another image is taken from `foreign`. An instruction that it does not know is an
 * error, so that the Dockerfile cannot grow past what is tested.
 */
export function runImageSteps(
  context: string,
  folder: string,
  foreign: Record<string, string>,
): Map<string, BuiltStage> {
  const stages = new Map<string, BuiltStage>();
  let stage: BuiltStage | undefined;
  let workdir = '/';
  for (const { name, rest } of parseDockerfile(readFileSync(join(context, 'Dockerfile'), 'utf8'))) {
    if (name === 'FROM') {
      const [base = '', , as = ''] = rest.split(/\s+/);
      const from = stages.get(base);
      stage = { root: join(folder, as), env: { ...from?.env }, entrypoint: from?.entrypoint ?? [], command: [] };
      mkdirSync(stage.root, { recursive: true });
      if (from) cpSync(from.root, stage.root, { recursive: true, verbatimSymlinks: true });
      if (!from) workdir = '/';
      stages.set(as, stage);
      continue;
    }
    if (!stage) throw new Error(`Expected FROM before ${name}`);
    const inside = (path: string): string => join(stage!.root, path.startsWith('/') ? path : join(workdir, path));
    switch (name) {
      case 'WORKDIR':
        workdir = rest;
        mkdirSync(inside('.'), { recursive: true });
        break;
      case 'ENV': {
        const [key = '', value = ''] = rest.split('=');
        stage.env[key] = value;
        break;
      }
      case 'COPY': {
        const words = rest.split(/\s+/);
        const source = words[0]?.startsWith('--from=') ? words.shift()!.slice('--from='.length) : undefined;
        const target = words.pop() ?? '';
        for (const word of words) {
          const built = source === undefined ? undefined : stages.get(source);
          const from =
            source === undefined ? join(context, word) : built ? join(built.root, word) : foreign[`${source}:${word}`];
          if (from === undefined || !existsSync(from)) throw new Error(`Nothing stands for COPY ${rest}`);
          const to = target.endsWith('/') ? join(inside(target), word.split('/').at(-1) ?? '') : inside(target);
          mkdirSync(dirname(to), { recursive: true });
          cpSync(from, to, { recursive: true, verbatimSymlinks: true });
        }
        break;
      }
      case 'RUN':
        execFileSync('/bin/sh', ['-ec', rest], {
          cwd: inside('.'),
          env: { PATH: process.env.PATH, HOME: process.env.HOME, ...stage.env },
          stdio: ['ignore', 'ignore', 'pipe'],
        });
        break;
      case 'ENTRYPOINT':
        stage.entrypoint = JSON.parse(rest) as string[];
        break;
      case 'CMD':
        stage.command = JSON.parse(rest) as string[];
        break;
      case 'USER':
        break;
      default:
        throw new Error(`The test does not know the instruction ${name}`);
    }
  }
  return stages;
}
