import { rm, stat } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import type * as Yaml from 'yaml';
import type { DomainRecord } from '../../audit/audit-record';
import { canonicalJson } from '../../kernel/canonical-json';
import { derivedId } from '../../kernel/derived-id';
import { sha256 } from '../../kernel/digest';
import { isJsonObject, type JsonValue } from '../../kernel/json';
import { parseJsonText } from '../../platform/documents/json-text';
import { beginFile, syncFolder } from '../../platform/files/write-durably';
import type { ImagePolicySet } from '../policies/image-policy';

/** What a change of a file does to one policy; digests are SHA-256 of its document. */
export interface PolicyChange {
  id: string;
  kind: 'created' | 'updated' | 'deleted';
  before?: string;
  after?: string;
}

/** In order of their ids; empty if both say the same. */
export function changesBetween(before: ImagePolicySet, after: ImagePolicySet): PolicyChange[] {
  const digestIn = ({ byId }: ImagePolicySet, id: string): string | undefined => {
    const policy = byId.get(id);
    return policy === undefined ? undefined : sha256(canonicalJson(policy.document as JsonValue));
  };
  return [...new Set([...before.byId.keys(), ...after.byId.keys()])].sort().flatMap((id): PolicyChange[] => {
    const [was, is] = [digestIn(before, id), digestIn(after, id)];
    if (was === is) return [];
    if (was === undefined) return [{ id, kind: 'created', after: is! }];
    if (is === undefined) return [{ id, kind: 'deleted', before: was }];
    return [{ id, kind: 'updated', before: was, after: is }];
  });
}

/** Of one change, with who made it. */
export function policyChangeRecord(
  { id, kind, ...digests }: PolicyChange,
  by: { actor: string; reason: string; file: string },
  nowMs: number,
): DomainRecord {
  return {
    schemaVersion: 2,
    domain: 'images',
    subject: id,
    part: '',
    decisionID: derivedId('image-policy', id, kind, digests.after ?? '', String(nowMs)),
    kind,
    timestamp: new Date(nowMs).toISOString(),
    reasons: [],
    errorDetails: [],
    usedFacts: [],
    actor: by.actor,
    reason: by.reason,
    details: { file: by.file, ...digests },
  };
}

/**
 * Writes a file whole or not at all, or deletes it.
 *
 * @param text undefined deletes it
 * @param beforeChange called once the new file is on the disk and before it is in its place; what it throws leaves all as it was
 */
export async function changeFile(
  file: string,
  text: string | undefined,
  beforeChange: () => Promise<void>,
): Promise<void> {
  if (text === undefined) {
    await beforeChange();
    await rm(file);
  } else {
    // A name that begins with a dot is no policy; the mode of a file that is replaced stays.
    const mode = (await stat(file).catch(() => undefined))?.mode;
    const part = `${dirname(file)}/.${process.pid}.part`;
    const unfinished = await beginFile(file, { part, ...(mode === undefined ? {} : { mode: mode & 0o777 }) });
    try {
      await unfinished.write(text);
      await beforeChange();
      await unfinished.finish();
    } catch (error) {
      await unfinished.discard();
      throw error;
    }
  }
  await syncFolder(dirname(file));
}

/** The text of a file without one of its policies, comments kept in YAML; undefined if it had no other. */
export function withoutPolicy(file: string, text: string, id: string): string | undefined {
  return extname(file).toLowerCase() === '.json' ? withoutInJson(text, id) : withoutInYaml(text, id);
}

function withoutInJson(text: string, id: string): string | undefined {
  const document = parseJsonText(text);
  const isIt = (one: JsonValue) => isJsonObject(one) && one.id === id;
  const inFile = isJsonObject(document) && Array.isArray(document.policies) ? document.policies : document;
  if (!Array.isArray(inFile)) return undefined;
  const rest = inFile.filter((one) => !isIt(one));
  if (rest.length === 0) return undefined;
  return `${JSON.stringify(inFile === document ? rest : { policies: rest }, null, 2)}\n`;
}

function withoutInYaml(text: string, id: string): string | undefined {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded when it is needed only
  const { isMap, isSeq, parseAllDocuments } = require('yaml') as typeof Yaml;
  const documents = parseAllDocuments(text) as Yaml.Document[];
  const kept = documents.filter((document) => {
    if (document.contents === null) return false;
    const list = isMap(document.contents)
      ? (document.contents.get('policies') ?? document.contents)
      : document.contents;
    if (!isSeq(list)) return document.get('id') !== id;
    list.items = list.items.filter((item) => !(isMap(item) && item.get('id') === id));
    return list.items.length > 0;
  });
  return kept.length === 0 ? undefined : kept.map((document) => document.toString({ lineWidth: 0 })).join('---\n');
}
