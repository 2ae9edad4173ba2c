import { spawn } from 'node:child_process';

export interface RunResult {
  /** exit status; null when a signal ended it */
  code: number | null;
  /** stdout and stderr, in the order of arrival */
  output: string;
}

/**
 * Runs a program with stdin closed; rejects when it cannot be started or takes longer than `timeoutMs`.
 *
 * @param options.signal kills it with everything that it started, and rejects with the signal's reason
 */
export function runTool(
  command: string,
  args: readonly string[],
  options: { timeoutMs: number; env?: NodeJS.ProcessEnv; onLine?: (line: string) => void; signal?: AbortSignal },
): Promise<RunResult> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: options.env ?? process.env,
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
      // A group of its own, which can be killed as one; a Ctrl-C in the terminal does not reach it then, but the signal does.
      detached: signal !== undefined,
    });
    const kill = (): void => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    };
    signal?.addEventListener('abort', kill, { once: true });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
      const last = chunk.toString().trimEnd().split('\n').at(-1);
      if (last) options.onLine?.(last);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', reject);
    child.on('close', (code, killedBy) => {
      signal?.removeEventListener('abort', kill);
      if (signal?.aborted) reject(signal.reason as Error);
      else if (killedBy === 'SIGKILL')
        reject(new Error(`${command} was stopped: it ran longer than ${options.timeoutMs} ms`));
      else resolve({ code, output });
    });
  });
}
