import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { collecting } from '../../kernel/collect-faults';
import { faultsToError, type Fault } from '../../kernel/failures';
import { whyUnread } from '../../kernel/why-unread';
import { loadDocuments } from '../../platform/documents/loaders/document';
import { configInvalid } from '../../platform/documents/loaders/read-bytes';
import { readPolicies, type PolicySet, type RuleSource } from '../document/read-policies';
import type { RuleDomain } from '../domain';
import { RULE_LIMITS } from '../limits';

const EXTENSIONS: readonly string[] = ['.json', '.yaml', '.yml', '.pkl'];

/** Files beside the policies that hold none: `*.test.yaml` are fixtures, `*.state.json` are states that they name. */
const BESIDE = /\.(?<kind>test|state)\.(?:json|ya?ml)$/;

/**
 * The policies of a file, or of all files of a folder and the folders in it; the order of the files does not matter. Names
 * that begin with a dot and `node_modules` are left out.
 *
 * @throws GateError ConfigInvalid with every fault of every file
 */
export async function loadPolicies(path: string, domain: RuleDomain): Promise<PolicySet> {
  return readPolicies(await loadRuleSources(path), domain);
}

/**
 * The documents that `loadPolicies` reads.
 *
 * @throws GateError ConfigInvalid with the faults of every file that cannot be parsed
 */
export async function loadRuleSources(path: string): Promise<RuleSource[]> {
  const files = await ruleFiles(path);
  const faults: Fault[] = [];
  const sources: RuleSource[] = [];
  for (const file of files) {
    await collecting(faults, async () => {
      const { documents } = await loadDocuments(file, { largestBytes: RULE_LIMITS.fileBytes });
      for (const { document, lineOf, columnOf } of documents) {
        sources.push({ where: { file, ...(lineOf === undefined ? {} : { lineOf, columnOf }) }, document });
      }
    });
  }
  if (faults.length > 0) throw faultsToError(faults);
  return sources;
}

/** The files of fixtures in a folder, or beside the file that is named; by name. */
export async function fixtureFiles(path: string): Promise<string[]> {
  return (await filesBelow(path)).filter((file) => BESIDE.exec(file)?.groups?.kind === 'test');
}

async function ruleFiles(path: string): Promise<string[]> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if ('code' in found && found.code === 'ENOENT') {
    throw configInvalid(path, 'expected a file or folder of policies, but there is none');
  }
  // What is no folder is read as a file, which says why it cannot be.
  if (!('isDirectory' in found) || !found.isDirectory()) return [path];
  const files = (await filesBelow(path)).filter((file) => !BESIDE.test(file));
  if (files.length === 0) {
    throw configInvalid(path, `expected a folder with policies (${EXTENSIONS.join(', ')}), but there is none in it`);
  }
  return files;
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw configInvalid(folder, `expected a folder, but ${whyUnread(error)}`, error);
  });
  const found = await Promise.all(
    entries
      .filter(({ name }) => !name.startsWith('.') && name !== 'node_modules')
      .map(async (entry) => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return filesBelow(path);
        return EXTENSIONS.includes(extname(entry.name).toLowerCase()) ? [path] : [];
      }),
  );
  return found.flat().sort();
}
