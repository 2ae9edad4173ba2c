import type { CommandIo } from '../../src/cli/io';
import { Results } from '../../src/cli/results';

/** What a command is given, with nothing to read and all that is written dropped. */
export function anIo(cwd: string): CommandIo {
  const nothing = { write: () => true };
  const results = new Results(() => true);
  const { signal } = new AbortController();
  return { stdout: nothing, stderr: nothing, data: nothing, env: {}, cwd, results, signal };
}
