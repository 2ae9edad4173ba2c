import { formatDuration } from '../../kernel/duration';
import { FailureType, type Fault } from '../../kernel/failures';
import type { Series } from '../../platform/sources/prometheus-answer';
import type { SampleTime } from '../../platform/sources/prometheus-client';

/** A field of nodes, of shards or of the cluster that a query fills. */
export interface MeasuredField {
  /** as conditions name it: `node.cpu_usage` */
  metric: string;
  /** the label whose value is the id of the node or shard; undefined for the cluster, which has one series */
  label: string | undefined;
  /** a sample exactly this old is fresh */
  maxAgeMs: number;
  /** what it means that there is no series: an error, a metric that is unknown, or a value */
  onMissing: 'error' | 'unknown' | { use: number };
}

/** What a query answered, and when its samples were observed: a list for each of its selectors. */
export interface MeasuredAnswer {
  series: readonly Series[];
  times: readonly (readonly SampleTime[])[];
}

/** A node, a shard or the cluster. */
export interface Owner {
  /** of the cluster '' */
  id: string;
  /** false of a node that is down: of it nothing is expected, and what is wrong with its series makes no fault */
  isExpected: boolean;
}

export interface Measured {
  /** by the owner's id */
  values: Map<string, number>;
  /** epoch milliseconds of the oldest sample behind a value; undefined where none has an age */
  oldestMs?: number;
  /** one for each kind, with the owners that have it */
  faults: Fault[];
}

/** What one owner has of a field. */
type Found = { value: number; observedMs?: number } | { problem: Problem; note?: string; ageMs?: number } | undefined;
type Problem = 'missing' | 'several' | 'noNumber' | 'stale' | 'future';

/**
 * The values of one field. Series of other owners are ignored: a server knows of more than one cluster.
 *
 * @param nowMs epoch milliseconds; ages are judged against it
 * @param source for people, without secrets
 */
export function measureField(
  field: MeasuredField,
  answer: MeasuredAnswer,
  owners: readonly Owner[],
  nowMs: number,
  source: string,
): Measured {
  const byOwner = seriesByOwner(answer.series, field.label);
  const times = answer.times.map((list) => oldestByOwner(list, field.label));
  const values = new Map<string, number>();
  const problems = new Map<Problem, { id: string; note?: string; ageMs?: number }[]>();
  let oldestMs: number | undefined;
  for (const { id, isExpected } of owners) {
    const found = findFor(id, field, byOwner.get(id) ?? [], times, nowMs);
    if (found === undefined) continue;
    if ('value' in found) {
      values.set(id, found.value);
      const { observedMs = Infinity } = found;
      if (observedMs < (oldestMs ?? Infinity)) oldestMs = observedMs;
    } else if (isExpected || found.problem === 'several') {
      const { problem, ...about } = found;
      problems.set(problem, [...(problems.get(problem) ?? []), { id, ...about }]);
    }
  }
  const faults = [...problems].map(([problem, cases]): Fault => {
    const { metric, label, maxAgeMs } = field;
    const owned = label === undefined ? metric : `${metric} of ${listed(cases.map(({ id }) => id))}`;
    const notes = listed([...new Set(cases.flatMap(({ note }) => note ?? []))]);
    const ages = cases.flatMap(({ ageMs }) => ageMs ?? []);
    const worst =
      ages.length === 0 ? {} : { ageMs: ages.reduce((a, b) => (Math.abs(a) > Math.abs(b) ? a : b)), maxAgeMs };
    const shownMissing = problem === 'missing' ? whatThereIs(answer.series, label, owners, byOwner) : '';
    const message = `${owned}: ${source} ${SENTENCES[problem](notes, worst.ageMs, maxAgeMs)}${shownMissing}`;
    const type = problem === 'stale' ? FailureType.FactStale : FailureType.FactInvalid;
    return { type, message, where: source, ...worst };
  });
  return { values, ...(oldestMs === undefined ? {} : { oldestMs }), faults };
}

const SENTENCES: Readonly<Record<Problem, (notes: string, ageMs: number | undefined, maxAgeMs: number) => string>> = {
  missing: () => 'answered no series',
  several: () => 'answered more than one series; aggregate them, as max by (label) (…) does',
  noNumber: (notes) => notes,
  stale: (_, ageMs, maxAgeMs) =>
    ageMs === undefined
      ? 'has no present sample; where one is not to be expected, timestampQuery says the age'
      : `gave a sample that is ${formatDuration(ageMs)} old, and ${formatDuration(maxAgeMs)} are allowed`,
  future: (_, ageMs = 0) => `gave a sample that is ${formatDuration(-ageMs)} in the future`,
};

function findFor(
  id: string,
  { maxAgeMs, onMissing }: MeasuredField,
  [series, ...more]: readonly Series[],
  times: readonly OldestByOwner[],
  nowMs: number,
): Found {
  if (series === undefined) {
    if (typeof onMissing === 'object') return { value: onMissing.use };
    return onMissing === 'unknown' ? undefined : { problem: 'missing' };
  }
  if (more.length > 0) return { problem: 'several' };
  if ('fault' in series) return { problem: 'noNumber', note: series.fault };
  const observed = times.map((oldest) => oldest.get(id) ?? oldest.get(''));
  if (observed.includes(undefined)) return { problem: 'stale' };
  if (observed.length === 0) return { value: series.value };
  const observedMs = Math.min(...(observed as number[]));
  const ageMs = nowMs - observedMs;
  if (ageMs > maxAgeMs) return { problem: 'stale', ageMs };
  if (-ageMs > maxAgeMs) return { problem: 'future', ageMs };
  return { value: series.value, observedMs };
}

/** Epoch milliseconds, under '' of the series without the label; of the cluster all are there. */
type OldestByOwner = ReadonlyMap<string, number>;

/**
 * The oldest present samples of a selector by the owner that they name. Where its series have the label and none names an owner,
 * there is none for it: `rate` still answers for a while after an exporter died.
 */
function oldestByOwner(times: readonly SampleTime[], label: string | undefined): OldestByOwner {
  const oldest = new Map<string, number>();
  for (const { labels, timeMs } of times) {
    const id = label === undefined ? '' : (labels[label] ?? '');
    oldest.set(id, Math.min(oldest.get(id) ?? Infinity, timeMs));
  }
  return oldest;
}

function seriesByOwner(series: readonly Series[], label: string | undefined): Map<string, Series[]> {
  const byOwner = new Map<string, Series[]>();
  for (const one of series) {
    const id = label === undefined ? '' : one.labels[label];
    if (id === undefined) continue;
    const same = byOwner.get(id);
    if (same === undefined) byOwner.set(id, [one]);
    else same.push(one);
  }
  return byOwner;
}

/** Where no owner has a series, the label is likely the wrong one, or its values are other names. */
function whatThereIs(
  series: readonly Series[],
  label: string | undefined,
  owners: readonly Owner[],
  byOwner: ReadonlyMap<string, unknown>,
): string {
  if (label === undefined || series.length === 0 || owners.some(({ id }) => byOwner.has(id))) return '';
  const named = [...new Set(series.flatMap(({ labels }) => labels[label] ?? []))].sort();
  if (named.length > 0) return ` for it; the label ${label} is ${listed(named)}`;
  const labels = [...new Set(series.flatMap((one) => Object.keys(one.labels)))].sort();
  return ` with the label ${label}${labels.length === 0 ? '' : `; there are ${listed(labels)}`}`;
}

const MOST_NAMES = 10;

function listed(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return `${names.slice(0, MOST_NAMES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
