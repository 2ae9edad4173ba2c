import { bundleOptions, type BuiltWorkflows } from '../../src/built-workflows';
import { packageVersion } from '../../src/platform/files/package-version';
import { buildIdOf } from '../../src/platform/temporal/versioning/build-id';
import { keptBundle } from './kept-bundle';

/**
 * Stands for `src/built-workflows` in the suites (jest.config.js): the same bundle and build id, made once for all of them.
 * From source it would be made by each suite.
 */
export async function builtWorkflows(encrypted = false): Promise<BuiltWorkflows> {
  const bundle = await keptBundle(bundleOptions(encrypted));
  return { bundle, buildId: buildIdOf(packageVersion(), bundle.code) };
}
