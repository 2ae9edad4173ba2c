import { readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { collecting } from '../../kernel/collect-faults';
import { faultsToError, type Fault } from '../../kernel/failures';
import { whyUnread } from '../../kernel/why-unread';
import { loadDocuments, parseDocuments } from '../../platform/documents/loaders/document';
import { configInvalid } from '../../platform/documents/loaders/read-bytes';
import { IMAGE_POLICY_LIMITS } from '../limits';
import type { PolicySurroundings } from '../policies/compile-policy';
import type { ImagePolicySet } from '../policies/image-policy';
import { readImagePolicies, type ImagePolicySourceDocument } from '../policies/read-image-policies';
import { readPublicKey, type PublicKey } from '../signatures/public-key';

const EXTENSIONS: readonly string[] = ['.json', '.yaml', '.yml'];

/** A file that was emptied by mistake would lift every block. */
const NO_POLICY = 'expected at least one policy, but there is none: to use none, set policy.enabled to false';

/** Where policies are, beside those of a file or folder. */
export interface PolicyPlaces {
  /** documents that are in no file of the folder, such as those of the settings */
  more?: readonly ImagePolicySourceDocument[];
  /** a file of the folder as it will be: with other text, or not there at all */
  changed?: { file: string; text: string | undefined };
}

/**
 * The policies of a file, or of all YAML and JSON files of a folder and the folders in it; the order of the files does not matter.
 * Names that begin with a dot are left out.
 *
 * @param path undefined for `more` alone
 * @throws GateError ConfigInvalid with every fault of every file, each with its line and column
 */
export async function loadImagePolicies(
  path: string | undefined,
  surroundings: PolicySurroundings = {},
  { more = [], changed }: PolicyPlaces = {},
): Promise<ImagePolicySet> {
  const faults: Fault[] = [];
  const documents: ImagePolicySourceDocument[] = [...more];
  await collecting(faults, async () => {
    for (const file of path === undefined ? [] : await policyFiles(path, changed?.file)) {
      await collecting(faults, async () => {
        if (file === changed?.file && changed.text === undefined) return;
        const loaded =
          file === changed?.file && changed.text !== undefined
            ? await parseDocuments(Buffer.from(changed.text), file)
            : (await loadDocuments(file, { largestBytes: IMAGE_POLICY_LIMITS.fileBytes })).documents;
        for (const { document, lineOf, columnOf } of loaded)
          documents.push({ where: { file, ...(lineOf === undefined ? {} : { lineOf, columnOf }) }, document });
      });
    }
  });
  let set: ImagePolicySet | undefined;
  // What can be parsed is checked too, so that all faults are reported at once.
  await collecting(faults, () => {
    set = readImagePolicies(documents, { readKey, ...surroundings });
    return Promise.resolve();
  });
  if (set === undefined || faults.length > 0) throw faultsToError(faults);
  if (set.policies.length === 0) throw configInvalid(path ?? 'policy.policies', NO_POLICY);
  return set;
}

/** Read at once, as policies are compiled: keys are small, and read when policies are loaded only. */
function readKey(file: string, policyFile: string): PublicKey | string {
  const path = resolve(dirname(policyFile), file);
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
  } catch (error) {
    return `expected a public key at ${path}, but it could not be read (${(error as NodeJS.ErrnoException).code})`;
  }
  return readPublicKey(pem);
}

/** @param more one that may not be there yet */
async function policyFiles(path: string, more: string | undefined): Promise<string[]> {
  if (path === more) return [path];
  const kind = await stat(path).catch((error: unknown) => {
    throw configInvalid(path, `expected a file or folder of policies, but ${whyUnread(error)}`, error);
  });
  if (!kind.isDirectory()) return [path];
  const found = await filesBelow(path);
  const files = more === undefined || found.includes(more) ? found : [...found, more].sort();
  if (files.length === 0)
    throw configInvalid(path, `expected a folder with policies (${EXTENSIONS.join(', ')}), but there is none in it`);
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
        // Such a folder may hold itself; without a word its policies that block would be missing.
        if (entry.isSymbolicLink() && (await stat(path).catch(() => undefined))?.isDirectory() === true)
          throw configInvalid(path, 'expected a file or a folder, but it is a link to a folder, which is not followed');
        return EXTENSIONS.includes(extname(entry.name).toLowerCase()) ? [path] : [];
      }),
  );
  return found.flat().sort();
}
