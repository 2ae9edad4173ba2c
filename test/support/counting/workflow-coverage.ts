import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type { BundleOptions, InjectedSinks } from '@temporalio/worker';
import { addCounts, type Counts, type FileCounts } from './counts';
import type { CoverageSinks } from './workflow-interceptors';

const SRC = resolve(__dirname, '..', '..', '..', 'src');

/** Workflows run in a sandbox of their own: what they cover is carried out of it. Without jest's coverage this does nothing. */
export interface WorkflowCoverage {
  /** options of a bundle whose source in `src` counts what runs */
  bundleOptions(options: BundleOptions): BundleOptions;
  /** what a worker with such a bundle needs */
  readonly sinks: InjectedSinks<CoverageSinks> | undefined;
  /** adds what was counted to jest's coverage */
  merge(): void;
}

export function createWorkflowCoverage(): WorkflowCoverage {
  const scope = globalThis as { __coverage__?: Counts };
  if (scope.__coverage__ === undefined) {
    return { bundleOptions: (options) => options, sinks: undefined, merge: () => undefined };
  }
  const counted = new Map<string, FileCounts>();
  const add = (counts: Counts): void => {
    for (const [path, file] of Object.entries(counts)) {
      const sum = counted.get(path);
      if (sum === undefined) counted.set(path, file);
      else addCounts(sum, file);
    }
  };
  return {
    bundleOptions: (options) => ({
      ...options,
      workflowInterceptorModules: [
        ...(options.workflowInterceptorModules ?? []),
        require.resolve('./workflow-interceptors'),
      ],
      webpackConfigHook: (config) => ({
        ...config,
        module: {
          ...config.module,
          rules: [
            ...(config.module?.rules ?? []),
            { test: /\.ts$/, include: SRC, enforce: 'pre', loader: require.resolve('./webpack-loader.cjs') },
          ],
        },
      }),
    }),
    sinks: { coverage: { add: { fn: (_workflow, counts) => add(counts), callDuringReplay: true } } },
    merge: () => {
      const coverage = (scope.__coverage__ ??= {});
      for (const [path, file] of counted) addCounts((coverage[path] ??= nothingCounted(path)), file);
      counted.clear();
    },
  };
}

/** The coverage of a file that only workflows load. */
function nothingCounted(path: string): FileCounts {
  const { instrument } = createRequire(__filename)('./instrument.cjs') as {
    instrument(source: string, path: string): { coverage: FileCounts };
  };
  return instrument(readFileSync(path, 'utf8'), path).coverage;
}
