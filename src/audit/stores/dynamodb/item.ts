import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { sha256 } from '../../../kernel/digest';
import { reasonCodesOf } from '../../../kernel/reason-code';
import { FailureType, GateError } from '../../../kernel/failures';
import { parseTime } from '../../../kernel/time';
import { AuditDomain, type AuditRecord, type DomainRecord, type GateRecord } from '../../audit-record';
import { isGateRecord, placeOf, type AuditPlace } from '../../place';

/** Any field of any domain's records, less what only readers set. */
type FieldName = Exclude<keyof GateRecord | keyof DomainRecord, 'damaged'>;
export type Item = Record<string, AttributeValue>;

/** Beyond this an item's facts go elsewhere: DynamoDB refuses items of more than 400 KiB, names of attributes included. */
export const MAX_ITEM_BYTES = 380 * 1024;

/** DynamoDB refuses a longer partition key, which dynalite takes. */
const MAX_KEY_BYTES = 2048;

/** Where a part of a record is that is too big for its item. */
export interface PartRef {
  uri: string;
  /** of the part's bytes, in hex */
  sha256: string;
  bytes: number;
}

/** A part taken out of an item: the JSON text of one field of the record. */
export interface MovedPart {
  field: FieldName;
  json: string;
}

type Form = 'text' | 'number' | 'json';

/** Every field of a record, under the attribute that holds it; the order is that of the interface. */
const FIELDS: { [field in FieldName]: { attribute: string; form: Form } } = {
  schemaVersion: { attribute: 'schemaVersion', form: 'number' },
  decisionID: { attribute: 'decisionID', form: 'text' },
  kind: { attribute: 'kind', form: 'text' },
  domain: { attribute: 'domain', form: 'text' },
  subject: { attribute: 'subject', form: 'text' },
  part: { attribute: 'part', form: 'text' },
  deploymentID: { attribute: 'deploymentID', form: 'text' },
  stage: { attribute: 'stage', form: 'text' },
  timestamp: { attribute: 'timestamp', form: 'text' },
  outcome: { attribute: 'outcome', form: 'text' },
  reasons: { attribute: 'reasonsJSON', form: 'json' },
  errorDetails: { attribute: 'errorDetails', form: 'json' },
  usedFacts: { attribute: 'usedFactsJSON', form: 'json' },
  policySHA: { attribute: 'policySHA', form: 'text' },
  configRev: { attribute: 'configRev', form: 'text' },
  manifestVersion: { attribute: 'manifestVersion', form: 'text' },
  evalDurationNS: { attribute: 'evalDurationNS', form: 'number' },
  evaluation: { attribute: 'evaluationJSON', form: 'json' },
  workflowID: { attribute: 'workflowID', form: 'text' },
  runID: { attribute: 'runID', form: 'text' },
  actor: { attribute: 'actor', form: 'text' },
  reason: { attribute: 'reason', form: 'text' },
  refersTo: { attribute: 'refersTo', form: 'text' },
  deployment: { attribute: 'deploymentJSON', form: 'json' },
  leaseExpiresAt: { attribute: 'leaseExpiresAt', form: 'text' },
  details: { attribute: 'detailsJSON', form: 'json' },
  masked: { attribute: 'maskedJSON', form: 'json' },
};

/** A field of a later version is JSON under its name and `JSON`: so this version writes it, and so it looks for it. */
function attributeOf(name: string): { attribute: string; form: Form } {
  return Object.hasOwn(FIELDS, name) ? FIELDS[name as FieldName] : { attribute: `${name}JSON`, form: 'json' };
}

/** What is moved out of an item that is too big, the first of these first: facts nearly always suffice. */
const MOVABLE = ['usedFacts', 'deployment', 'details', 'errorDetails', 'reasons'] as const satisfies FieldName[];

/** The sort key of all records: by time, and within a millisecond by id. */
export function sortKey({ timestamp, decisionID }: Pick<AuditRecord, 'timestamp' | 'decisionID'>): string {
  return `${new Date(timestamp).toISOString()}#${wellFormed(decisionID)}`;
}

/**
 * The partition of a part of a subject: `<deploymentID>#<stage>`, and `<domain>:<subject>#<part>` in other domains. One that is
 * too long for DynamoDB is named by its digest; no other begins with `#`.
 */
export function partitionKey({ part, ...of }: AuditPlace): string {
  const key = `${subjectKey(of)}#${part}`;
  return Buffer.byteLength(key) <= MAX_KEY_BYTES ? key : `#${sha256(key)}`;
}

/** What the index of deployments calls a subject; ids of deployments hold no colon, so that domains never meet. */
export function subjectKey({ domain, subject }: Pick<AuditPlace, 'domain' | 'subject'>): string {
  if (domain === AuditDomain.gate) return subject;
  return `${domain}:${wellFormed(subject).replace(/[%#]/g, encodeURIComponent)}`;
}

/**
 * The item of a record. Beside the record's own fields it holds what is asked by (`pk`, `sk`, `day`, `reasonCodes`),
 * `expiresAt` for TTL (epoch seconds), `fields` (the names in their order, so that a record comes back character for
 * character) and, where an attribute cannot hold a text or a number as it is, the exact one in `exactJSON`.
 *
 * @throws GateError AuditWriteFailed when its timestamp is invalid
 */
export function toItem(record: AuditRecord, retentionMs: number): Item {
  const timeMs = parseTime(record.timestamp);
  if (timeMs === undefined) {
    throw new GateError(
      FailureType.AuditWriteFailed,
      `Expected the record ${record.decisionID} to have an RFC 3339 timestamp, got ${JSON.stringify(record.timestamp)}`,
    );
  }
  const sk = sortKey(record);
  const place = placeOf(record);
  const item: Item = {
    pk: { S: partitionKey(place) },
    sk: { S: sk },
    day: { S: sk.slice(0, 10) },
    expiresAt: { N: String(Math.floor((timeMs + retentionMs) / 1000)) },
    reasonCodes: { L: [...new Set(reasonCodesOf(record))].map((code) => ({ S: wellFormed(code) })) },
  };
  // The indexes hold subject and part under the gate's names.
  if (!isGateRecord(record)) {
    item.deploymentID = { S: subjectKey(place) };
    item.stage = { S: wellFormed(place.part) };
  }
  const entries = Object.entries(record).filter(([, value]) => value !== undefined) as [string, unknown][];
  // Names of fields are plain words; one that is not must not pass for two.
  item.fields = { S: entries.map(([name]) => encodeURIComponent(name)).join(',') };
  const exact: Record<string, unknown> = {};
  for (const [name, value] of entries) {
    const { attribute, form } = attributeOf(name);
    if (form === 'json') item[attribute] = { S: JSON.stringify(value) };
    else if (form === 'text') {
      const text = wellFormed(value as string);
      item[attribute] = { S: text };
      if (text !== value) exact[name] = value;
    } else if (Number.isSafeInteger(value)) item[attribute] = { N: String(value) };
    else exact[name] = value;
  }
  if (Object.keys(exact).length > 0) item.exactJSON = { S: JSON.stringify(exact) };
  return item;
}

/**
 * The record of an item, exactly as it was given to `toItem`. A field of a later version is kept, by whichever attribute
 * holds it; one whose attribute has a name of its own is left out.
 *
 * @throws GateError AuditUnavailable when the item was damaged
 */
export function toRecord(item: Item): AuditRecord {
  try {
    const exact = exactOf(item);
    const entries = namesOf(item).map(
      (name) => [name, Object.hasOwn(exact, name) ? exact[name] : read(item, name)] as const,
    );
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as unknown as AuditRecord;
  } catch (error) {
    const why = `${nameOf(item)} does not hold a record as this program writes it: ${(error as Error).message}`;
    throw new GateError(FailureType.AuditUnavailable, `Cannot read the audit log: ${why}`, undefined, { cause: error });
  }
}

/** A part of an item that its place no longer gives. */
export interface LostPart {
  field: string;
  why: string;
}

/**
 * The record of an item as far as it can be read, so that a damaged one hides no other: what is lost is missing, and
 * `damaged` says what and why. Id, time and place come from the item's key where its attributes do not hold them.
 */
export function readRecord(item: Item, lost: readonly LostPart[] = []): AuditRecord {
  const damaged = lost.map(({ why }) => why);
  const attempt = <T>(what: string, run: () => T): T | undefined => {
    try {
      return run();
    } catch (error) {
      damaged.push(`its ${what} cannot be read: ${(error as Error).message}`);
      return undefined;
    }
  };
  const exact = attempt('exactJSON', () => exactOf(item)) ?? {};
  const names = (attempt('fields', () => namesOf(item)) ?? Object.keys(FIELDS)).filter(
    (name) => !lost.some(({ field }) => field === name),
  );
  const entries = names
    .map((name) => [name, Object.hasOwn(exact, name) ? exact[name] : attempt(name, () => read(item, name))] as const)
    .filter(([, value]) => value !== undefined);
  const fields = Object.fromEntries(entries) as unknown as AuditRecord;
  return damaged.length === 0 ? fields : { ...ofKey(item), ...fields, damaged };
}

/** What an item's key tells of its record; `unknown` where it tells nothing. */
function ofKey({ pk, sk }: Item): AuditRecord {
  const [, timestamp = '', decisionID = ''] = /^([^#]*)#(.*)$/s.exec(sk?.S ?? '') ?? [];
  const [, subject = '', part = ''] = /^([^#]*)#(.*)$/s.exec(pk?.S ?? '') ?? [];
  const shared = { schemaVersion: 1, decisionID, kind: 'unknown', timestamp, reasons: [], errorDetails: [] } as const;
  const place = /^([a-z]+):(.*)$/s.exec(subject);
  const named = place === null ? { deploymentID: subject, stage: part } : { domain: place[1], subject: place[2], part };
  return { ...shared, usedFacts: [], actor: '', ...named } as unknown as AuditRecord;
}

function exactOf(item: Item): Record<string, unknown> {
  return item.exactJSON === undefined ? {} : (JSON.parse(item.exactJSON.S ?? '') as Record<string, unknown>);
}

function namesOf(item: Item): string[] {
  return item.fields?.S?.split(',').map(decodeURIComponent) ?? Object.keys(FIELDS);
}

function read(item: Item, name: string): unknown {
  const field = attributeOf(name);
  const value = item[field.attribute];
  if (value === undefined) {
    if (!Object.hasOwn(FIELDS, name)) return Object.hasOwn(item, name) ? toPlain(item[name]!) : undefined;
    if (item.fields !== undefined) throw new TypeError(`its attribute ${field.attribute} is gone`);
    return undefined;
  }
  if (field.form === 'number') return Number(value.N);
  return field.form === 'json' ? JSON.parse(value.S ?? '') : value.S;
}

/** An attribute of a later version as JSON would have it; sets and bytes, which no version writes, are left out. */
function toPlain(value: AttributeValue): unknown {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.NULL) return null;
  if (value.L !== undefined) return value.L.map(toPlain);
  if (value.M === undefined) return undefined;
  return Object.fromEntries(Object.entries(value.M).map(([key, inner]) => [key, toPlain(inner)]));
}

/** The item of a key, for people. */
export function nameOf(item: Item): string {
  return `the item ${item.pk?.S} ${item.sk?.S}`;
}

/**
 * The item without the parts that make it too big, and these parts, facts first; as it is when it fits.
 *
 * @returns the item may still be too big: then nothing more can be taken out
 */
export function moveParts(item: Item, maxBytes = MAX_ITEM_BYTES): { item: Item; moved: MovedPart[] } {
  const rest = { ...item };
  const moved: MovedPart[] = [];
  for (const field of MOVABLE) {
    if (itemBytes(rest) <= maxBytes) break;
    const { attribute } = FIELDS[field];
    const json = rest[attribute]?.S;
    if (json === undefined) continue;
    moved.push({ field, json });
    delete rest[attribute];
  }
  return { item: rest, moved };
}

/** The attribute that says where a moved part is, e.g. `usedFactsRef`. */
export function refAttribute(field: FieldName): string {
  return `${field}Ref`;
}

export function toRefAttribute({ uri, sha256, bytes }: PartRef): AttributeValue {
  return { M: { uri: { S: uri }, sha256: { S: sha256 }, bytes: { N: String(bytes) } } };
}

/** Where the moved parts of an item are. */
export function partRefs(item: Item): { field: FieldName; ref: PartRef }[] {
  return MOVABLE.flatMap((field) => {
    const found = item[refAttribute(field)]?.M;
    if (found === undefined) return [];
    return { field, ref: { uri: found.uri?.S ?? '', sha256: found.sha256?.S ?? '', bytes: Number(found.bytes?.N) } };
  });
}

/** The item with moved parts put back. */
export function putBack(item: Item, parts: readonly MovedPart[]): Item {
  return { ...item, ...Object.fromEntries(parts.map(({ field, json }) => [FIELDS[field].attribute, { S: json }])) };
}

/**
 * Size as DynamoDB counts it (Developer Guide, "DynamoDB item sizes and formats"): names and texts in UTF-8, a number as
 * one byte for two digits and one more, 3 bytes for a list or map and one for each thing in it.
 */
export function itemBytes(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);
}

function valueBytes(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return Math.ceil(value.N.length / 2) + 1;
  if (value.L !== undefined) return value.L.reduce((sum, inner) => sum + 1 + valueBytes(inner), 3);
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + itemBytes(value.M);
  return 1;
}

/** Half a surrogate pair has no UTF-8; it shows as U+FFFD. Most texts have no pairs at all, which is found out quickly. */
function wellFormed(text: string): string {
  return /[\ud800-\udfff]/.test(text) ? text.replace(/\p{Surrogate}/gu, '\uFFFD') : text;
}
