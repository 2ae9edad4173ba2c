import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { placeAt, type TextPlace } from '../../platform/documents/json-places';
import { faultsToError } from '../../kernel/failures';
import { opaFaults, runOpa } from './opa';
import { policyFiles } from './policy-folder';

/**
 * Formats the Rego files in `dir`, tests among them, as `opa fmt` does.
 *
 * @param options.write false only lists them
 * @returns the files that were not formatted, relative to `dir`
 * @throws GateError PolicyInvalid where there is no such folder or no Rego in it, or a file is no Rego: then nothing is written
 */
export async function formatPolicy(dir: string, { write }: { write: boolean }): Promise<string[]> {
  await policyFiles(dir);
  const listed = await runOpa(dir, ['fmt', '--list', '.']);
  if (listed.code !== 0) throw faultsToError(opaFaults(listed));
  if (write) {
    const written = await runOpa(dir, ['fmt', '--write', '.']);
    if (written.code !== 0) throw faultsToError(opaFaults(written));
  }
  return listed.stdout.split('\n').filter((file) => file !== '');
}

/** Where a file first differs from what `opa fmt` would write; its beginning where that cannot be told. */
export async function firstUnformatted(dir: string, file: string): Promise<TextPlace> {
  const [text, formatted] = await Promise.all([readFile(join(dir, file), 'utf8'), runOpa(dir, ['fmt', file])]);
  if (formatted.code !== 0) return { line: 1, column: 1 };
  let at = 0;
  while (at < text.length && text[at] === formatted.stdout[at]) at += 1;
  return placeAt(text, at);
}
