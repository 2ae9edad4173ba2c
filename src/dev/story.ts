import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../kernel/message-of';
import { colorsFor, standardError, standardOutput } from '../platform/observability/terminal';

export interface CommandResult {
  code: number;
  stdout: string;
}

/** A demo told step by step, with the commands that a person would type. */
export interface Story {
  title(text: string): void;
  told(line: string): void;
  /** runs a command of `gate`, shows it with what it prints, and expects this exit code; one that only asks is asked again */
  gate(expectedCode: number, ...args: string[]): Promise<CommandResult>;
  /** runs a command of `gate` without a word */
  ask(...args: string[]): Promise<CommandResult>;
  /**
   * Waits for as long as it takes, and says so now and then: a slow machine fails no demo.
   *
   * @throws Error when a process that the demo needs has ended; the reason of the demo's signal when it is stopped
   */
  waitFor(what: string, holds: () => boolean | Promise<boolean>): Promise<void>;
}

const GATE = join(__dirname, '..', 'cli', 'main.js');
/** The exit code of a command to which no worker gave an answer in time. */
const NOT_ANSWERED = 4;
/** Commands that change nothing, and so can be given again. */
const READS: ReadonlySet<string> = new Set(['explain', 'list', 'status']);
/** How often it is said that something takes long. */
const TOLD_EVERY_MS = 15_000;
const output = standardOutput();
const colors = colorsFor(output, process.env);

/**
 * @param env what the commands run in
 * @param stopped ends the command under way and whatever is waited for
 * @param ended says which process has ended that the demo needs; undefined while all of them run
 * @param shorten replaces what is too long to read, such as temporary folders
 */
export function createStory(
  env: NodeJS.ProcessEnv,
  stopped: AbortSignal,
  ended: () => string | undefined = () => undefined,
  shorten = (text: string) => text,
): Story {
  const print = (text: string): void => void output.write(text);
  return {
    title: (text) => print(`\n${colors.bold(`== ${text}`)}\n`),
    told: (line) => print(`   ${shorten(line)}\n`),
    gate: async (expectedCode, ...args) => {
      const typed = args.map((arg) => (/\s/.test(arg) ? JSON.stringify(arg) : arg)).join(' ');
      print(`\n${colors.cyan(shorten(`$ gate ${typed}`))}\n`);
      let result = await run(args, env, 'inherit', stopped);
      while (result.code === NOT_ANSWERED && READS.has(args[0] ?? '') && ended() === undefined) {
        print('   No answer in time on this machine; asked again\n');
        result = await run(args, env, 'inherit', stopped);
      }
      print(shorten(result.stdout));
      print(colors.dim(`(exit code ${result.code})\n`));
      if (result.code !== expectedCode) throw new Error(`Expected exit code ${expectedCode}, got ${result.code}`);
      return result;
    },
    ask: (...args) => run(args, env, 'ignore', stopped),
    waitFor: async (what, holds) => {
      const startedAtMs = Date.now();
      let toldAtMs = startedAtMs;
      while (!(await holds())) {
        const lost = ended();
        if (lost !== undefined) throw new Error(`Expected ${what}, but ${lost}`);
        if (Date.now() - toldAtMs >= TOLD_EVERY_MS) {
          toldAtMs = Date.now();
          print(`   Still waiting for ${what}, for ${Math.round((toldAtMs - startedAtMs) / 1000)} s\n`);
        }
        await sleep(100, undefined, { signal: stopped });
      }
    },
  };
}

/** As shells count a program that SIGINT ended. */
const STOPPED_EXIT_CODE = 130;

/**
 * Runs a demo as a program: SIGINT and SIGTERM stop it, `--keep` keeps it. A failure ends with exit code 1, and a stop with 130
 * unless the demo had told everything.
 */
export function tell(demo: (keep: boolean, stopped: AbortSignal) => Promise<void>): void {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  demo(process.argv.includes('--keep'), stop.signal).then(
    () => output.write('\nThe demo is over; nothing is left running.\n'),
    (error: unknown) => {
      if (stop.signal.aborted) {
        output.write('\nStopped; nothing is left running.\n');
        // What was called off may still hold a connection or a timer.
        process.exit(STOPPED_EXIT_CODE);
      }
      standardError().write(`The demo failed: ${messageOf(error)}\n`);
      process.exitCode = 1;
    },
  );
}

async function run(
  args: string[],
  env: NodeJS.ProcessEnv,
  stderr: 'inherit' | 'ignore',
  stopped: AbortSignal,
): Promise<CommandResult> {
  stopped.throwIfAborted();
  const child = spawn(process.execPath, [GATE, ...args], { env, stdio: ['ignore', 'pipe', stderr] });
  const kill = (): void => void child.kill('SIGKILL');
  stopped.addEventListener('abort', kill, { once: true });
  let stdout = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const [code] = (await once(child, 'close')) as [number | null];
  stopped.removeEventListener('abort', kill);
  stopped.throwIfAborted();
  return { code: code ?? -1, stdout };
}
