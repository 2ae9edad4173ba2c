import type { JsonObject, JsonValue } from '../../kernel/json';
import { valueAt } from '../../kernel/json-pointer';
import { parseTime } from '../../kernel/time';
import { asJson, type PlanObject } from '../object';

/** A column of a kind's table, on a terminal and in kubectl. */
export interface Column {
  name: string;
  /** shown only with `-o wide` */
  wide?: boolean;
  cell(object: JsonObject, nowMs: number): string;
}

const at =
  (...keys: string[]) =>
  (object: JsonObject): string =>
    textOf(valueAt(object, keys));
const countAt =
  (...keys: string[]) =>
  (object: JsonObject): string => {
    const value = valueAt(object, keys);
    return Array.isArray(value) ? String(value.length) : '-';
  };

const NAME: Column = { name: 'Name', cell: at('metadata', 'name') };
const PHASE: Column = { name: 'Phase', cell: at('status', 'phase') };
const AGE: Column = {
  name: 'Age',
  cell: (object, nowMs) => {
    const created = parseTime(valueAt(object, ['metadata', 'creationTimestamp']));
    return created === undefined ? '<unknown>' : formatAge(nowMs - created);
  },
};

const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  Goal: [
    NAME,
    PHASE,
    { name: 'Active Plan', cell: at('status', 'activePlanRef', 'name') },
    AGE,
    { name: 'Description', wide: true, cell: at('spec', 'description') },
  ],
  Plan: [
    NAME,
    PHASE,
    { name: 'Goal', cell: at('spec', 'goalRef', 'name') },
    { name: 'Series', cell: at('spec', 'series') },
    { name: 'Version', cell: at('spec', 'version') },
    { name: 'Nodes', cell: at('status', 'nodeCount') },
    AGE,
    { name: 'Description', wide: true, cell: at('spec', 'description') },
  ],
  Capability: [NAME, PHASE, { name: 'Category', cell: at('spec', 'category') }, AGE],
  Binding: [
    NAME,
    PHASE,
    { name: 'Rules', cell: countAt('spec', 'rules') },
    { name: 'Bound', cell: (object) => `${at('status', 'boundCount')(object)}/${at('status', 'totalCount')(object)}` },
    AGE,
  ],
  Execution: [
    NAME,
    PHASE,
    { name: 'Plan', cell: at('spec', 'planRef', 'name') },
    { name: 'Goal', cell: at('spec', 'goalRef', 'name') },
    AGE,
    { name: 'Message', wide: true, cell: at('status', 'message') },
  ],
  Gate: [
    NAME,
    PHASE,
    { name: 'Type', cell: at('spec', 'gateType') },
    {
      name: 'Target',
      cell: (object) => `${at('spec', 'targetRef', 'kind')(object)}/${at('spec', 'targetRef', 'name')(object)}`,
    },
    AGE,
  ],
};

/** The columns of a kind; name and age for any other, such as namespaces. */
export function columnsOf(kind: string): readonly Column[] {
  return COLUMNS[kind] ?? [NAME, AGE];
}

export interface TableOptions {
  kind: string;
  nowMs: number;
  /** what a row holds of its object: `includeObject` of the request. @default 'Metadata' */
  include?: 'None' | 'Metadata' | 'Object';
  /** of the list or the event */
  metadata?: JsonObject;
}

/** Objects as a `Table` of meta.k8s.io/v1, which kubectl prints as it is. */
export function toTable(
  objects: readonly PlanObject[],
  { kind, nowMs, include = 'Metadata', metadata = {} }: TableOptions,
): JsonObject {
  const columns = columnsOf(kind);
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: columns.map(({ name, wide = false }) => ({
      name,
      type: 'string',
      format: name === 'Name' ? 'name' : '',
      description: '',
      priority: wide ? 1 : 0,
    })),
    rows: objects.map((object) => ({
      cells: columns.map(({ cell }) => cell(asJson(object), nowMs)),
      ...(include === 'None' ? {} : { object: include === 'Object' ? asJson(object) : metadataOnly(object) }),
    })),
  };
}

/** The columns that a terminal shows, with the row of each object. */
export function toRows(
  objects: readonly PlanObject[],
  kind: string,
  nowMs: number,
): { head: string[]; rows: string[][] } {
  const columns = columnsOf(kind).filter(({ wide = false }) => !wide);
  return {
    head: columns.map(({ name }) => name),
    rows: objects.map((object) => columns.map(({ cell }) => cell(asJson(object), nowMs))),
  };
}

function metadataOnly(object: PlanObject): JsonObject {
  return {
    kind: 'PartialObjectMetadata',
    apiVersion: 'meta.k8s.io/v1',
    metadata: asJson(object).metadata!,
  };
}

/** An age as kubectl writes it: `45s`, `3m5s`, `12m`, `5h30m`, `3d`, `2y10d`; the older, the coarser. */
export function formatAge(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 120) return `${Math.max(0, seconds)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 192) return pair(days, 'd', hours % 24, 'h');
  if (days < 730) return `${days}d`;
  const years = Math.floor(days / 365);
  return years < 8 ? pair(years, 'y', days % 365, 'd') : `${years}y`;
}

function pair(large: number, unit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${unit}` : `${large}${unit}${small}${smallUnit}`;
}

function textOf(value: JsonValue | undefined): string {
  if (value === undefined || value === null || value === '') return '-';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
