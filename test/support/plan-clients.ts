import { execFile, type ExecFileException } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuiltProgram } from './cached-program';

/** The command line of PlanSpec's reference implementation, without its server. */
export const PLANSPEC: BuiltProgram = {
  name: 'planspec',
  version: '0.1.0',
  toolchain: 'cargo',
  async build(folder, cargo) {
    await cargo(['install', 'planspec', '--version', '0.1.0', '--locked', '--no-default-features', '--root', folder]);
    return join(folder, 'bin', 'planspec');
  },
};

/** By module, as go.sum has it. */
const KUBECTL_SUMS = {
  'k8s.io/component-base@v0.34.1': 'h1:v7xFgG+ONhytZNFpIz5/kecwD+sUhVE6HU7qQUiRM4A=',
  'k8s.io/kubectl@v0.34.1': 'h1:1qP1oqT5Xc93K+H8J7ecpBjaz511gan89KO9Vbsh/OI=',
};
const KUBECTL_MAIN = `package main

import (
	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

func main() {
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
}
`;

/** Kubernetes' own client, whose module has no program to install. */
export const KUBECTL: BuiltProgram = {
  name: 'kubectl',
  version: '0.34.1',
  toolchain: 'go',
  async build(folder, go) {
    const modules = Object.keys(KUBECTL_SUMS).map((each) => each.replace('@', ' '));
    await writeFile(join(folder, 'main.go'), KUBECTL_MAIN);
    await writeFile(join(folder, 'go.mod'), `module kubectl\n\ngo 1.24.0\n\nrequire (\n\t${modules.join('\n\t')}\n)\n`);
    for (const [module, sum] of Object.entries(KUBECTL_SUMS)) {
      const { Sum } = JSON.parse(await go(['mod', 'download', '-json', module])) as { Sum: string };
      if (Sum !== sum) throw new Error(`${module}: expected the sum ${sum}, got ${Sum}`);
    }
    await go(['build', '-mod=mod', '-o', join(folder, 'kubectl'), '.']);
    return join(folder, 'kubectl');
  },
};

/** What a program did. */
export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end, with something on its standard input. */
export function runProgram(
  program: string,
  args: readonly string[],
  { env, cwd, input = '' }: { env: Record<string, string>; cwd: string; input?: string },
): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { cwd, env: { PATH: process.env.PATH, HOME: cwd, NO_COLOR: '1', ...env }, timeout: 120_000 };
    const child = execFile(program, args, options, (error: ExecFileException | null, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
    child.stdin!.end(input);
  });
}
