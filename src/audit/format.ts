import type { AuditRecord } from './audit-record';
import { isGateRecord, placeOf, subjectName } from './place';
import { completed, unknownFields } from './unknown-fields';
import type { JsonObject } from '../kernel/json';
import { faultText } from '../kernel/fault-text';
import { visibleText } from '../kernel/visible-text';

/** The columns of `gate audit list`, in order. */
export const AUDIT_COLUMNS = ['TIME', 'DEPLOYMENT', 'STAGE', 'KIND', 'OUTCOME', 'ACTOR', 'ID', 'WHY'] as const;

/** So much of an id tells records apart in a table; `gate audit show` takes it in place of the whole one. */
export const SHORT_ID_LENGTH = 8;
const WHY_LENGTH = 80;

/**
 * One row of the table for each record, under `AUDIT_COLUMNS`; each cell is a single line. Ids and long reasons are
 * shortened and the addresses of sources left out: `toAuditText` and JSON have all of it.
 */
export function toAuditRows(records: readonly AuditRecord[]): string[][] {
  return records
    .map(completed)
    .map((record) =>
      [
        record.timestamp.replace('T', ' ').replace(/\.\d+Z$/, 'Z'),
        subjectName(record),
        placeOf(record).part,
        record.kind,
        record.outcome ?? '',
        record.actor,
        record.decisionID.slice(0, SHORT_ID_LENGTH),
        shortened(why(record)),
      ].map(oneLine),
    );
}

/** One record in full, for people: what was decided or done, why, on which facts, under which release. */
export function toAuditText(given: AuditRecord): string {
  const record = completed(given);
  const outcome = record.outcome === undefined ? '' : `: ${record.outcome}`;
  const sections = [
    `${record.kind}${outcome}  ${subjectName(record)} / ${placeOf(record).part}`,
    lines([
      ['id', record.decisionID],
      ['time', record.timestamp],
      ['actor', record.actor],
      ['reason', record.reason],
      ['refers to', record.refersTo],
      ['lease until', record.leaseExpiresAt],
      ['policy SHA', record.policySHA],
      ['config revision', record.configRev],
      ['manifest version', record.manifestVersion],
      ['evaluation', record.evalDurationNS === undefined ? undefined : `${record.evalDurationNS / 1000} µs`],
      ['evaluated by', record.evaluation?.evaluators.join(', ')],
      ['second opinion', secondOpinion(record)],
      ['workflow', record.workflowID],
      ['run', record.runID],
      ['attributes', attributes(record)],
      ['masked', record.masked?.join(', ')],
    ]),
    list('DAMAGED, so that some of it is missing', record.damaged ?? []),
    list(
      'Details',
      Object.entries(record.details ?? {}).map(([name, value]) => `${name}: ${toText(value)}`),
    ),
    list(
      'Fields of a later version',
      unknownFields(record).map(([name, value]) => `${name}: ${toText(value)}`),
    ),
    list('Deny reasons', record.reasons),
    list('The two opinions', bothOpinions(record)),
    list('Would deny, if what was missing did not count', record.evaluation?.wouldDeny ?? []),
    list(
      'Missing while it was evaluated',
      (record.evaluation?.notes ?? []).map(({ message }) => message),
    ),
    list('Absent and optional', record.evaluation?.optionalAbsent ?? []),
    list('Errors', record.errorDetails.map(faultText)),
    list(
      'Facts',
      record.usedFacts.map(
        (fact) =>
          `${fact.id} = ${JSON.stringify(fact.value)}  observed ${fact.observedAt}${age(fact.observedAt, record.timestamp)}, from ${fact.source}${remarks(fact)}`,
      ),
    ),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function secondOpinion({ evaluation }: AuditRecord): string | undefined {
  if (evaluation === undefined) return undefined;
  const { secondOpinion: vote, secondOpinionWhy = [] } = evaluation;
  return secondOpinionWhy.length === 0 ? vote : `${vote} (${secondOpinionWhy.join(', ')})`;
}

function bothOpinions({ evaluation }: AuditRecord): string[] {
  if (evaluation?.disagreement === undefined) return [];
  const { first, second, secondFailure = 'it failed' } = evaluation.disagreement;
  return [`plan    ${first}`, `module  ${second ?? `no answer: ${secondFailure}`}`];
}

function remarks({ isDefault, warnings = [] }: AuditRecord['usedFacts'][number]): string {
  const standIn = isDefault ? ['the source had no data: the configured value'] : [];
  return [...standIn, ...warnings.map((warning) => `partial: ${warning}`)].map((text) => `; ${text}`).join('');
}

function why(record: AuditRecord): string {
  const found = [...record.reasons, ...record.errorDetails.map((fault) => withoutAddress(fault.message))];
  // A pause gives the type of its first fault as its reason, which the fault's own message says better.
  if (record.reason !== undefined && !record.errorDetails.some(({ type }) => type === record.reason))
    found.unshift(record.reason);
  if (found.length === 0) found.push(...scalars(record.details));
  // Subjects of other domains are ids; people know their names.
  else if (!isGateRecord(record) && typeof record.details?.name === 'string') found.unshift(record.details.name);
  if (record.damaged !== undefined) found.unshift('DAMAGED');
  // What was refused, and what failed, says why in its reason too.
  return [...new Set(found)].join('; ');
}

/** The plain values of details, which say most in a line: `count 12; outcome error`. */
function scalars(details: JsonObject | undefined): string[] {
  return Object.entries(details ?? {}).flatMap(([name, value]) =>
    typeof value === 'object' ? [] : [`${name} ${String(value)}`],
  );
}

/** A text as it is, anything else as JSON. */
function toText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function withoutAddress(message: string): string {
  return message.replace(/ \([^()]*https?:\/\/[^()]*\)/g, '');
}

function shortened(text: string): string {
  return text.length <= WHY_LENGTH ? text : `${text.slice(0, WHY_LENGTH - 1)}…`;
}

function attributes(record: AuditRecord): string | undefined {
  if (!isGateRecord(record) || record.deployment === undefined) return undefined;
  const { attributes: ofDeployment = {}, stage_attributes: ofStage = {} } = record.deployment;
  return `deployment ${JSON.stringify(ofDeployment)}, stage ${JSON.stringify(ofStage)}`;
}

/** How old a fact was when the decision was made, to the tenth of a second. */
function age(observedAt: string, decidedAt: string): string {
  const ageMs = Date.parse(decidedAt) - Date.parse(observedAt);
  return Number.isNaN(ageMs) ? '' : ` (${(ageMs / 1000).toFixed(1)} s old)`;
}

function lines(entries: readonly (readonly [string, string | undefined])[]): string {
  const given = entries.filter((entry): entry is readonly [string, string] => entry[1] !== undefined);
  const width = Math.max(...given.map(([name]) => name.length)) + 2;
  return given.map(([name, value]) => `  ${name.padEnd(width)}${visibleText(value)}`).join('\n');
}

function list(title: string, entries: readonly string[]): string {
  return entries.length === 0 ? '' : [title, ...entries.map((entry) => `  - ${visibleText(entry)}`)].join('\n');
}

function oneLine(text: string): string {
  return visibleText(text.replace(/\s+/g, ' ').trim());
}
