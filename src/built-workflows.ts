import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  bundleWorkflowCode,
  DefaultLogger,
  type BundleOptions,
  type WorkflowBundleOption,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { packageVersion } from './platform/files/package-version';
import { buildIdOf } from './platform/temporal/versioning/build-id';
import { messageConverterPath } from './platform/temporal/converters/message-converter-path';
import { failureConverterPath } from './settings/open-data-converter';

/** The workflows as a worker loads them, and the build id that they have by default. */
export interface BuiltWorkflows {
  bundle: WorkflowBundleOption;
  buildId: string;
}

/**
 * What a bundle of the gate's workflows is made from.
 *
 * @param encrypted with the failure converter that leaves no message in the clear: a bundle holds one converter for good
 */
export function bundleOptions(encrypted: boolean): BundleOptions {
  return {
    workflowsPath: require.resolve('./workflows'),
    workflowInterceptorModules: [require.resolve('./workflows/parts/unknown-messages')],
    payloadConverterPath: messageConverterPath(),
    ...(encrypted ? { failureConverterPath: failureConverterPath() } : {}),
  };
}

/**
 * Workflow code bundled when the package was built; from source it is bundled on the spot, which takes seconds.
 *
 * @param encrypted as for `bundleOptions`
 */
export async function builtWorkflows(encrypted = false): Promise<BuiltWorkflows> {
  const codePath = join(__dirname, encrypted ? 'workflow-bundle-encrypted.js' : 'workflow-bundle.js');
  if (existsSync(codePath)) {
    return { bundle: { codePath }, buildId: buildIdOf(packageVersion(), await readFile(codePath, 'utf8')) };
  }
  const bundle = await bundledOnce(encrypted);
  return { bundle, buildId: buildIdOf(packageVersion(), bundle.code) };
}

/** By `encrypted`. The source does not change while a process runs, and each bundle of it costs seconds of computing. */
const bundled = new Map<boolean, Promise<WorkflowBundleWithSourceMap>>();

function bundledOnce(encrypted: boolean): Promise<WorkflowBundleWithSourceMap> {
  const known = bundled.get(encrypted);
  if (known !== undefined) return known;
  const bundling = bundleWorkflowCode({ logger: new DefaultLogger('ERROR'), ...bundleOptions(encrypted) });
  bundled.set(encrypted, bundling);
  // One that failed is tried again by the next caller.
  bundling.catch(() => bundled.delete(encrypted));
  return bundling;
}
