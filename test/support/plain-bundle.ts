import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../src/kernel/json';
import { readArchive } from '../../src/rego/bundle/archive/read-archive';
import { writeArchive } from '../../src/rego/bundle/archive/write-archive';
import { inFolder, opa } from './build-policy';

/**
 * A bundle as `opa build` makes it, for wasm and as a plan, with every built-in that opa knows, and `input.json` put beside.
 *
 * @param library a second Rego file
 */
export function plainBundle(rego: string, properties: JsonObject = {}, library?: string): Promise<Uint8Array> {
  return inFolder(async (folder) => {
    const [source, archive] = [join(folder, 'gate.rego'), join(folder, 'bundle.tar.gz')];
    await writeFile(source, rego);
    const sources = library === undefined ? [source] : [source, join(folder, 'library.rego')];
    if (library !== undefined) await writeFile(sources[1]!, library);
    await opa('build', '-t', 'wasm', '-e', 'gate/response', '-o', archive, ...sources);
    const files = await readArchive(await readFile(archive));
    await opa('build', '-t', 'plan', '-e', 'gate/response', '-o', archive, ...sources);
    files.set('plan.json', (await readArchive(await readFile(archive))).get('plan.json')!);
    const schema = { type: 'object', properties, additionalProperties: false };
    files.set('input.json', Buffer.from(JSON.stringify(schema)));
    return writeArchive(files);
  });
}

/** The bundle as versions before the plan made it: wasm would decide alone. */
export async function withoutPlan(bytes: Uint8Array): Promise<Uint8Array> {
  const files = await readArchive(bytes);
  files.delete('plan.json');
  return writeArchive(files);
}

/** Denies what is above `limits.max`, naming the limit and the release that it came with. */
export const LIMIT_POLICY = `package gate

import rego.v1

response := {"allow": count(reasons) == 0, "deny_reasons": reasons}

reasons contains sprintf("over: %d > %d", [input.deployment.attributes.n, data.config.limits.max]) if {
	input.deployment.attributes.n > data.config.limits.max
}
`;
