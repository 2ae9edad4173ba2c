import { spawn } from 'node:child_process';

export interface RunResult {
  /** exit status; null when a signal ended it */
  code: number | null;
  /** stdout and stderr, in the order of arrival */
  output: string;
}

/** Runs a program with stdin closed; rejects when it cannot be started or takes longer than `timeoutMs`. */
export function runTool(
  command: string,
  args: readonly string[],
  options: { timeoutMs: number; env?: NodeJS.ProcessEnv; onLine?: (line: string) => void },
): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: options.env ?? process.env,
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
    });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
      const last = chunk.toString().trimEnd().split('\n').at(-1);
      if (last) options.onLine?.(last);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (signal === 'SIGKILL') reject(new Error(`${command} was stopped: it ran longer than ${options.timeoutMs} ms`));
      else resolve({ code, output });
    });
  });
}
