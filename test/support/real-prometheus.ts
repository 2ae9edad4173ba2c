import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePorts } from '../../src/dev/free-ports';
import { dieWithParent, stopChild } from '../../src/dev/supervise';
import { eventually } from './eventually';

export interface RealPrometheus {
  base: string;
  /** what its one exporter serves from now on, in Prometheus' text format; resolves once a query sees it */
  expose(text: string): Promise<void>;
  stop(): Promise<void>;
}

/** The program that `PROMETHEUS` names, or the one on the PATH (Debian's package `prometheus` has it); undefined without one. */
export function prometheusProgram(): string | undefined {
  const named = process.env.PROMETHEUS;
  if (named !== undefined && named !== '') return named;
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, 'prometheus')).find((path) => existsSync(path));
}

/** A Prometheus server with one exporter, which it asks ten times a second. */
export async function startRealPrometheus(program: string): Promise<RealPrometheus> {
  let page = '';
  let round = 0;
  const exporter = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(`${page}\nround ${round}\n`);
  });
  await new Promise<void>((resolve) => exporter.listen(0, '127.0.0.1', resolve));
  const folder = await mkdtemp(join(tmpdir(), 'gate-prometheus-'));
  const target = `127.0.0.1:${(exporter.address() as AddressInfo).port}`;
  const config = {
    global: { scrape_interval: '100ms', scrape_timeout: '100ms' },
    scrape_configs: [{ job_name: 'nodes', static_configs: [{ targets: [target] }] }],
  };
  // JSON is YAML
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config));
  const [port] = (await freePorts(1)) as [number];
  const log = openSync(join(folder, 'log'), 'a');
  const args = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const child = spawn(program, args, { stdio: ['ignore', log, log], detached: true, cwd: folder });
  closeSync(log);
  dieWithParent(child);
  const base = `http://127.0.0.1:${port}`;
  const ask = async (query: string): Promise<string> => {
    const response = await fetch(`${base}/api/v1/query?query=${query}`).catch(() => undefined);
    return response === undefined ? '' : response.text();
  };
  return {
    base,
    async expose(text) {
      [page, round] = [text, round + 1];
      const seen = round;
      await eventually('a query sees what is exposed', async () => (await ask('round')).includes(`"${seen}"]`));
    },
    async stop() {
      await stopChild(child);
      await new Promise((resolve) => {
        exporter.close(resolve);
        exporter.closeAllConnections();
      });
      await rm(folder, { recursive: true, force: true });
    },
  };
}
