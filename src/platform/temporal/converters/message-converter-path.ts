import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { sha256 } from '../../../kernel/digest';

/** The gate's own, over Temporal's payload converter. */
const gateConverter = (): string => require.resolve('../payloads/payload-converter');

let folder: string | undefined;
const written = new Set<string>();

/**
 * Path of a module whose `payloadConverter` reads messages (`createMessageConverter`) over the one at `own`. Temporal takes
 * a converter by its path, for bundles too, so over one of yours a small module is written: to a folder that only this user
 * can read, and that is removed when the process ends.
 *
 * @param own absolute path of a module that exports `payloadConverter`; @default Temporal's own converter
 * @returns `own` itself when it was returned from here before
 */
export function messageConverterPath(own?: string): string {
  if (own === undefined || own === gateConverter()) return gateConverter();
  if (written.has(own)) return own;
  if (!isAbsolute(own)) throw new TypeError(`Expected payloadConverterPath to be an absolute path, got ${own}`);
  const [messages, inner] = [require.resolve('../payloads/messages'), own].map((path) => JSON.stringify(path));
  const code = [
    `const { createMessageConverter } = require(${messages});`,
    `exports.payloadConverter = createMessageConverter(require(${inner}).payloadConverter);`,
    '',
  ].join('\n');
  const path = join(ownFolder(), `${sha256(code)}.js`);
  writeFileSync(path, code);
  written.add(path);
  return path;
}

function ownFolder(): string {
  if (folder !== undefined) return folder;
  const made = mkdtempSync(join(tmpdir(), 'planning-engine-'));
  process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  return (folder = made);
}
