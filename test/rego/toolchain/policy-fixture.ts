import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A policy folder with `files` for the time of `work`. */
export async function withPolicy<T>(files: Record<string, string>, work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'policy-fixture-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(dir, name)), { recursive: true });
      await writeFile(join(dir, name), text);
    }
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** A gate whose one deny reason holds when `condition` does; the condition stands on line 8. */
export function gate(condition: string, more = ''): string {
  return [
    'package gate',
    '',
    'response := {"allow": allow, "deny_reasons": deny_reasons}',
    'default allow := false',
    'allow if count(deny_reasons) == 0',
    '',
    'deny_reasons contains "no" if {',
    `\t${condition}`,
    '}',
    more,
    '',
  ].join('\n');
}

export const schemaOf = (properties: object, more: object = { additionalProperties: false }): string =>
  JSON.stringify({ type: 'object', properties, ...more });
