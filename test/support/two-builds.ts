import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger, type BundleOptions } from '@temporalio/worker';
import { startNodeChild, type NodeChild } from '../../src/dev/child-process';
import { ROOT, type GateHarness } from './gate-harness';

/** An installed build of the package, whose workers run in processes of their own. */
export interface Build {
  /**
   * Starts a worker with these settings of `temporal`, and with flags of `gate worker`. Without a store of record, so that
   * two can run side by side.
   */
  start(temporal?: Record<string, unknown>, ...flags: string[]): Promise<NodeChild>;
}

/** Build A: the built package as it is. */
export function buildA(gate: GateHarness): Build {
  return buildIn(gate, 'a', ROOT);
}

/** Build B: the package installed in another folder, with workflow code that gives other commands. */
export async function buildB(gate: GateHarness): Promise<Build> {
  const folder = join(gate.folder, 'build-b');
  mkdirSync(folder);
  cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const { bundleOptions } = (await import(join(ROOT, 'dist', 'built-workflows.js'))) as {
    bundleOptions(encrypted: boolean): BundleOptions;
  };
  const options = bundleOptions(false);
  const { code } = await bundleWorkflowCode({
    ...options,
    workflowInterceptorModules: [
      ...(options.workflowInterceptorModules ?? []),
      require.resolve('../fixtures/upgrade/timer-before-action'),
    ],
    logger: new DefaultLogger('ERROR'),
  });
  writeFileSync(join(folder, 'dist', 'workflow-bundle.js'), code);
  return buildIn(gate, 'b', folder);
}

/** Settings of the harness with others for `temporal`; returns the file. */
export function settingsWith(gate: GateHarness, name: string, temporal: Record<string, unknown> = {}): string {
  const settings = JSON.parse(readFileSync(gate.settingsFile, 'utf8')) as { temporal: object };
  const file = join(gate.folder, `settings-${name}.json`);
  const audit = { store: { type: 'none' }, stdout: true };
  writeFileSync(file, JSON.stringify({ ...settings, audit, temporal: { ...settings.temporal, ...temporal } }));
  return file;
}

let started = 0;

function buildIn(gate: GateHarness, name: string, folder: string): Build {
  return {
    start: async (temporal = {}, ...flags) => {
      started += 1;
      return startNodeChild(join(folder, 'dist', 'cli', 'main.js'), {
        args: ['worker', '--settings', settingsWith(gate, `${name}-${started}`, temporal), ...flags],
        env: { ...gate.env, GATE_READY_LINE: '1' },
        logFile: join(gate.folder, `worker-${name}.log`),
      });
    },
  };
}
