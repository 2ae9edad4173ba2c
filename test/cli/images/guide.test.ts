import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startTemporalServer } from '../../../src/dev/temporal-server';
import { findTool } from '../../../src/platform/tools/find-tool';
import { createLogger } from '../../../src/platform/observability/logger';
import { loadSettings } from '../../../src/settings/load-settings';
import { startWorker } from '../../../src/worker';
import { startCraneRegistry } from '../../support/crane-registry';
import { eventually } from '../../support/eventually';
import { expectInOrder, stepsOf } from '../../support/guide-text';
import { runCli } from '../run-cli';

const guide = readFileSync(join(__dirname, '..', '..', '..', 'docs', 'images.md'), 'utf8');
/** Files that the guide shows under their names. */
const files = [
  ...guide.matchAll(/`([\w-]+\.(?:yaml|json))`[^`\n]*(?:`policies`)?:\n\n```(?:yaml|json)\n([\s\S]*?)```/g),
].map(([, name = '', content = '']) => ({ name, content }));

let folder: string;
const stops: (() => Promise<void>)[] = [];
/** Addresses of the registries and of the Temporal server that the guide starts, by those that it names. */
const hosts = new Map<string, string>();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-images-guide-'));
  mkdirSync(join(folder, 'policies'));
  writeFiles();
});
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The files name the registries too. */
function writeFiles(): void {
  for (const { name, content } of files)
    writeFileSync(join(folder, name === 'production.yaml' ? join('policies', name) : name), started(content));
}

/** A text of the guide with the registries that were started for it. */
function started(shown: string): string {
  return [...hosts].reduce((text, [named, host]) => text.replaceAll(named, host), shown);
}

/** What the command prints, with the guide's names of registries, after its exit code was compared. */
async function carryOut(line: string): Promise<string> {
  const served = /^crane registry serve --address (\S+) &$/.exec(line)?.[1];
  if (served !== undefined) {
    const { host, stop } = await startCraneRegistry(join(folder, 'registry.log'));
    hosts.set(served, host);
    stops.push(stop);
    writeFiles();
    return '';
  }
  if (line === 'temporal server start-dev &') {
    const server = await startTemporalServer({
      dbFile: join(folder, 'temporal.db'),
      logFile: join(folder, 'temporal.log'),
    });
    hosts.set('127.0.0.1:7233', server.address);
    stops.push(() => server.stop());
    writeFiles();
    return '';
  }
  const settings = /^gate worker --settings (\S+) &$/.exec(line)?.[1];
  if (settings !== undefined) {
    const loaded = await loadSettings(settings, {}, folder);
    const logger = createLogger({ level: 'silent', format: 'json' });
    const worker = await startWorker(loaded, { env: process.env, logger });
    stops.push(() => worker.stop());
    return '';
  }
  if (line.startsWith('temporal schedule trigger ')) {
    const { path } = await findTool('temporal');
    const [, ...args] = line.split(' ');
    const address = ['--address', hosts.get('127.0.0.1:7233')!];
    // The worker creates the schedule once it runs.
    await eventually('the schedule', () =>
      promisify(execFile)(path, [...args, ...address]).then(
        () => true,
        () => false,
      ),
    );
    await eventually('the scheduled sync', async () => {
      const listed = await runCli(folder, ['images', 'status', '--settings', 'settings.yaml', '--list']);
      return /production-replication\S+ +completed/.test(listed.stdout);
    });
    return '';
  }
  const [command = '', comment] = line.split(' # ');
  const [program, ...args] = words(started(command));
  if (program === 'crane') {
    await promisify(execFile)((await findTool('crane')).path, args, { cwd: folder });
    return '';
  }
  expect(program).toBe('gate');
  const { code, stdout, stderr } = await runCli(folder, args);
  const expected = Number(/^exit code (\d)$/.exec(comment ?? '')?.[1] ?? 0);
  expect({ line, code, stderr: code === expected ? '' : stderr }).toEqual({ line, code: expected, stderr: '' });
  return [...hosts].reduce((shown, [named, host]) => shown.replaceAll(host, named), stdout);
}

/** As a shell splits a line of words, some of them in quotes. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

it('the guide shows its files and covers every command about images', () => {
  expect(files.map(({ name }) => name)).toEqual(['production.yaml', 'image.json', 'unscanned.json', 'settings.yaml']);
  const commands = stepsOf(guide).flatMap((step) => step.commands);
  for (const named of [
    'gate images evaluate',
    'gate images sync',
    'gate images status',
    'gate images rollback',
    'gate images policies',
    'gate images secret',
    'gate images copy',
    'gate images diff',
  ])
    expect(commands.join('\n')).toContain(named);
});

it('the guide works as printed, on a registry of another make', async () => {
  for (const { commands, output } of stepsOf(guide)) {
    let printed = '';
    for (const line of commands) printed += await carryOut(line);
    expectInOrder(printed, output);
  }
});
