import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleOption } from '@temporalio/worker';
import { packageVersion } from './platform/files/package-version';
import { buildIdOf } from './platform/temporal/versioning/build-id';
import { failureConverterPath } from './settings/open-data-converter';

/** The workflows as a worker loads them, and the build id that they have by default. */
export interface BuiltWorkflows {
  bundle: WorkflowBundleOption;
  buildId: string;
}

/**
 * Workflow code bundled when the package was built; from source it is bundled on the spot, which takes seconds.
 *
 * @param encrypted with the failure converter that leaves no message in the clear: a bundle holds one converter for good
 */
export async function builtWorkflows(encrypted = false): Promise<BuiltWorkflows> {
  const codePath = join(__dirname, encrypted ? 'workflow-bundle-encrypted.js' : 'workflow-bundle.js');
  if (existsSync(codePath)) {
    return { bundle: { codePath }, buildId: buildIdOf(packageVersion(), await readFile(codePath, 'utf8')) };
  }
  const bundle = await bundleWorkflowCode({
    logger: new DefaultLogger('ERROR'),
    workflowsPath: require.resolve('./workflows'),
    ...(encrypted ? { failureConverterPath: failureConverterPath() } : {}),
  });
  return { bundle, buildId: buildIdOf(packageVersion(), bundle.code) };
}
