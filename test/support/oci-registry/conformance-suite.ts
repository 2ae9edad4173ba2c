import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { GoProgram } from '../go-program';

const run = promisify(execFile);

/** The conformance suite of the OCI distribution specification. */
export const CONFORMANCE: GoProgram = {
  name: 'conformance',
  version: 'v0.0.0-20260831232431-97274622c111',
  package: 'github.com/opencontainers/distribution-spec/conformance',
  module: 'github.com/opencontainers/distribution-spec/conformance',
  sum: 'h1:ppZPU0CrEPzyJhVggYwUIZrqh0w2lIT0esw+9ABNPA4=',
};

/** All that the suite has; it leaves out sparse manifests and what is not in a release of the specification by itself. */
const ALL = { OCI_TLS: 'disabled', OCI_LOG: 'error', OCI_VERSION: 'dev', OCI_DATA_SPARSE: 'true' };
const KEEP = { OCI_API_BLOBS_DELETE: 'false', OCI_API_MANIFESTS_DELETE: 'false', OCI_API_TAGS_DELETE: 'false' };

export interface SuiteRun {
  /** how many tests ended how: `Pass`, `FAIL`, `Skip`, `Error`, `Disabled` */
  counts: Record<string, number>;
  /** what the suite printed */
  report: string;
}

/**
 * Puts a registry to the suite.
 *
 * @param folder for its reports
 * @param keep what it pushes is not deleted
 */
export async function runConformanceSuite(
  program: string,
  host: string,
  folder: string,
  { keep = false }: { keep?: boolean } = {},
): Promise<SuiteRun> {
  const env = { PATH: process.env.PATH, ...ALL, ...(keep ? KEEP : {}), OCI_REGISTRY: host, OCI_RESULTS_DIR: folder };
  const options = { cwd: folder, env, maxBuffer: 2 ** 26 };
  // It ends with another exit code if a test failed: then the report says more.
  const { stdout } = await run(program, [], options).catch((error: { stdout: string }) => error);
  const counts: Record<string, number> = {};
  for (const [, name = '', count] of stdout.matchAll(/^ {2}(Pass|FAIL|Skip|Error|Disabled)\.+: +(\d+)$/gm))
    counts[name] = Number(count);
  return { counts, report: stdout };
}
