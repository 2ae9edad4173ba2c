import { access, constants, open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { messageOf } from '../../../kernel/message-of';
import { CliExit, ExitCode, type CliIo } from '../../io';
import { writeResult } from '../../write-result';
import { toDeployReport, type DeployEnd, type DeployReport, type Learned } from './deploy-report';
import { toJUnit } from './to-junit';
import { toMarkdown } from './to-markdown';

/** GitHub refuses the summary of a step that is bigger, whole. */
const SUMMARY_BYTES = 1024 * 1024;

/**
 * Runs the command and then writes its reports, however it ended: Markdown to the file that `GITHUB_STEP_SUMMARY` names, and
 * JUnit to `junit`. The exit code stays that of the deployment: a report that cannot be written is told on stderr.
 *
 * @param junit a path; absent for none
 * @param run fills in what it learns, and gives the exit code
 * @throws CliExit 2 before anything runs, where `junit` cannot be written; otherwise what `run` throws
 */
export async function withReports(
  io: CliIo,
  junit: string | undefined,
  run: (learned: Learned) => Promise<ExitCode>,
): Promise<ExitCode> {
  const file = junit === undefined ? undefined : resolve(io.cwd, junit);
  if (file !== undefined) await refuseUnwritable(file);
  const startedAtMs = Date.now();
  const learned: Learned = {};
  let end: DeployEnd;
  try {
    end = { code: await run(learned) };
  } catch (error) {
    end = { error };
  }
  await writeReports(io, file, toDeployReport(learned, end, { startedAtMs, endedAtMs: Date.now() }));
  if ('error' in end) throw end.error;
  return end.code;
}

async function writeReports(io: CliIo, junit: string | undefined, report: DeployReport): Promise<void> {
  const summary = io.env.GITHUB_STEP_SUMMARY;
  const attempt = async (what: string, write: () => Promise<void>): Promise<void> => {
    try {
      await write();
    } catch (error) {
      io.stderr.write(`gate: no ${what}: ${messageOf(error)}\n`);
    }
  };
  if (junit !== undefined) await attempt('JUnit report', () => writeResult(junit, toJUnit(report)));
  if (summary) await attempt('step summary', () => appendSummary(summary, toMarkdown(report)));
}

/**
 * Appends to what earlier commands of the step wrote. One write, which is taken back where the disk took a part of it: half a
 * table would swallow what comes after it.
 */
async function appendSummary(path: string, section: string): Promise<void> {
  const file = await open(path, 'a');
  try {
    const { size } = await file.stat();
    const bytes = Buffer.from(size === 0 ? section : `\n\n${section}`);
    if (size + bytes.length > SUMMARY_BYTES)
      throw new Error(
        `with this section it would have ${size + bytes.length} bytes, and GitHub takes at most ${SUMMARY_BYTES}`,
      );
    const { bytesWritten } = await file.write(bytes).catch(async (error: unknown) => {
      await file.truncate(size);
      throw error;
    });
    if (bytesWritten < bytes.length) {
      await file.truncate(size);
      throw new Error('no space is left on the device');
    }
  } finally {
    await file.close();
  }
}

/** Before anything is started: a deployment that nobody gets the report of is better not begun. */
async function refuseUnwritable(path: string): Promise<void> {
  const refuse = (why: string): never => {
    throw new CliExit(ExitCode.usage, `cannot write ${path}: ${why}`);
  };
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) refuse('it is a directory');
  // A file is replaced, which its folder must allow; a device or a pipe is written to.
  const needed = found === undefined || found.isFile() ? dirname(path) : path;
  await access(needed, constants.W_OK).catch((error: NodeJS.ErrnoException) =>
    refuse(error.code === 'ENOENT' ? 'its folder does not exist' : error.message),
  );
}
