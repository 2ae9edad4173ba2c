import { run } from '../../src/cli/run';

/** One `gate` command in this process, away from the user's own settings and from any `gate dev` that runs. */
export async function runCli(
  cwd: string,
  argv: readonly string[],
  env: NodeJS.ProcessEnv = {},
  signal: AbortSignal = new AbortController().signal,
  input?: string | Uint8Array,
) {
  let stdout = '';
  let stderr = '';
  const { PATH, HOME, XDG_CACHE_HOME, PLANNING_ENGINE_OPA } = process.env;
  const code = await run(argv, {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    env: { PATH, HOME, XDG_CACHE_HOME, PLANNING_ENGINE_OPA, XDG_DATA_HOME: cwd, ...env },
    cwd,
    signal,
    ...(input === undefined ? {} : { stdin: standardInput(input) }),
  });
  return { code, stdout, stderr };
}

async function* standardInput(content: string | Uint8Array): AsyncIterable<string | Uint8Array> {
  yield content;
}
