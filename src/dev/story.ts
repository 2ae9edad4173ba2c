import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createColors } from 'picocolors';

export interface CommandResult {
  code: number;
  stdout: string;
}

/** A demo told step by step, with the commands that a person would type. */
export interface Story {
  title(text: string): void;
  told(line: string): void;
  /** runs a command of `gate`, shows it with what it prints, and expects this exit code */
  gate(expectedCode: number, ...args: string[]): Promise<CommandResult>;
  /** runs a command of `gate` without a word */
  ask(...args: string[]): Promise<CommandResult>;
  /** @throws Error when it does not hold within 30 s, or the demo is stopped */
  waitFor(what: string, holds: () => boolean | Promise<boolean>): Promise<void>;
}

const GATE = join(__dirname, '..', 'cli', 'main.js');
const WITHIN_MS = 30_000;
const colors = createColors(process.stdout.isTTY === true && process.env.NO_COLOR === undefined);

/**
 * @param env what the commands run in
 * @param shorten replaces what is too long to read, such as temporary folders
 */
export function createStory(env: NodeJS.ProcessEnv, stopped: AbortSignal, shorten = (text: string) => text): Story {
  const print = (text: string): void => void process.stdout.write(text);
  return {
    title: (text) => print(`\n${colors.bold(`== ${text}`)}\n`),
    told: (line) => print(`   ${shorten(line)}\n`),
    gate: async (expectedCode, ...args) => {
      const typed = args.map((arg) => (/\s/.test(arg) ? JSON.stringify(arg) : arg)).join(' ');
      print(`\n${colors.cyan(shorten(`$ gate ${typed}`))}\n`);
      const result = await run(args, env, 'inherit');
      print(shorten(result.stdout));
      print(colors.dim(`(exit code ${result.code})\n`));
      if (result.code !== expectedCode) throw new Error(`Expected exit code ${expectedCode}, got ${result.code}`);
      return result;
    },
    ask: (...args) => run(args, env, 'ignore'),
    waitFor: async (what, holds) => {
      const deadlineMs = Date.now() + WITHIN_MS;
      while (!(await holds())) {
        if (stopped.aborted) throw new Error('stopped');
        if (Date.now() > deadlineMs) throw new Error(`Expected ${what} within ${WITHIN_MS / 1000} s`);
        await sleep(100);
      }
    },
  };
}

/** Runs a demo as a program: SIGINT and SIGTERM stop it, `--keep` keeps it, a failure ends with exit code 1. */
export function tell(demo: (keep: boolean, stopped: AbortSignal) => Promise<void>): void {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  demo(process.argv.includes('--keep'), stop.signal).then(
    () => process.stdout.write('\nThe demo is over; nothing is left running.\n'),
    (error: unknown) => {
      process.stderr.write(`The demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    },
  );
}

async function run(args: string[], env: NodeJS.ProcessEnv, stderr: 'inherit' | 'ignore'): Promise<CommandResult> {
  const child = spawn(process.execPath, [GATE, ...args], { env, stdio: ['ignore', 'pipe', stderr] });
  let stdout = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? -1, stdout };
}
