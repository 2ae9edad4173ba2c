import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { compare } from 'semver';
import type { temporal } from '@temporalio/proto';
import { decodeHistory, type HistoryFile } from '../support/history-file';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Failure = temporal.api.failure.v1.IFailure;

const HISTORIES = join(__dirname, '..', 'histories');
/** `0.2.0-rechecks` was recorded after `0.2.0`, which it adds to: both are of one release. */
const released = (name: string): string => name.replace(/-.*/, '');
const releases = [...new Set(readdirSync(HISTORIES).map(released))].sort(compare);

/** By activity and path, how often a value was there, and which types it had. */
type Shapes = Map<string, { count: number; types: Set<string> }>;

/**
 * What the release before declares as optional and takes when it is absent, although it is in all of its recorded histories:
 * their alerts are those of pauses alone, and the alert of a deployment's end has no reason of a pause; their stale facts have
 * names, and the fault that executions of plans were recorded with has none.
 */
const OPTIONAL = ['sendAlert arguments/pauseReason', 'collectFacts failure FactStale/faults/*/factId'];

/** Objects whose keys are names that users choose: those of stages. */
const BY_NAME = /\/details\/stages$/;

/** What the previous release would miss, or find of another type, in what the next one wrote. */
function unreadable(previous: Shapes, next: Shapes): string[] {
  return [...previous].flatMap(([path, { count, types }]) => {
    const parent = path.slice(0, path.lastIndexOf('/'));
    const found = next.get(path);
    const wasAlwaysThere = count === previous.get(parent)?.count;
    const isAlwaysThere = (found?.count ?? 0) === (next.get(parent)?.count ?? 0);
    if (wasAlwaysThere && !isAlwaysThere && !OPTIONAL.includes(path)) return [`${path} is no longer always there`];
    const others = [...(found?.types ?? [])].filter((type) => !types.has(type));
    return others.length > 0 ? [`${path} was ${[...types].join(' or ')}, and is ${others.join(' or ')}`] : [];
  });
}

function note(shapes: Shapes, path: string, value: unknown): void {
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  const shape = shapes.get(path) ?? { count: 0, types: new Set<string>() };
  shapes.set(path, { count: shape.count + 1, types: shape.types.add(type) });
  if (Array.isArray(value)) for (const item of value) note(shapes, `${path}/*`, item);
  else if (type === 'object')
    for (const [key, inner] of Object.entries(value as object))
      note(shapes, `${path}/${BY_NAME.test(path) ? '*' : key}`, inner);
}

type Payload = { data?: Uint8Array | null };
type Noted = [what: string, payloads: readonly Payload[] | null | undefined];

/** What an event holds of an activity; a local one has its result in a marker, and its arguments nowhere. */
function payloadsOf(event: HistoryEvent, typeOf: Map<string, string>): Noted[] {
  const { activityTaskScheduledEventAttributes: scheduled, activityTaskCompletedEventAttributes: completed } = event;
  const { activityTaskFailedEventAttributes: failed, markerRecordedEventAttributes: marker } = event;
  const type = (id: unknown) => typeOf.get(String(id)) ?? '';
  if (scheduled) {
    typeOf.set(String(event.eventId), scheduled.activityType?.name ?? '');
    return [[`${type(event.eventId)} arguments`, scheduled.input?.payloads]];
  }
  if (completed) return [[`${type(completed.scheduledEventId)} result`, completed.result?.payloads]];
  if (failed)
    return [[`${type(failed.scheduledEventId)} failure ${typeOfFailure(failed.failure)}`, detailsOf(failed.failure)]];
  if (marker?.markerName !== 'core_local_activity') return [];
  const [about] = marker.details?.data?.payloads ?? [];
  const { activity_type: local } = jsonOf(about) as { activity_type: string };
  return [
    [`${local} result`, marker.details?.result?.payloads],
    [`${local} failure ${typeOfFailure(marker.failure)}`, detailsOf(marker.failure)],
  ];
}

/** Details are a matter of the failure's type. */
const typeOfFailure = (failure: Failure | null | undefined) => failure?.applicationFailureInfo?.type ?? '';
const detailsOf = (failure: Failure | null | undefined) => failure?.applicationFailureInfo?.details?.payloads;

const jsonOf = (payload: Payload | undefined): unknown =>
  payload?.data?.length ? JSON.parse(Buffer.from(payload.data).toString()) : undefined;

/** What the activities in a release's recorded histories were given and gave, local ones and failures' details among them. */
function shapesOf(release: string): Shapes {
  const shapes: Shapes = new Map();
  const folders = readdirSync(HISTORIES).filter((name) => released(name) === release);
  for (const path of folders.flatMap((name) => readdirSync(join(HISTORIES, name)).map((file) => join(name, file)))) {
    const file = JSON.parse(readFileSync(join(HISTORIES, path), 'utf8')) as HistoryFile;
    const typeOf = new Map<string, string>();
    for (const event of decodeHistory(file).events ?? []) {
      for (const [what, payloads] of payloadsOf(event, typeOf)) {
        for (const payload of payloads ?? []) {
          const value = jsonOf(payload);
          if (value !== undefined) note(shapes, what, value);
        }
      }
    }
  }
  return shapes;
}

describe('arguments and results of activities', () => {
  const pairs = releases.slice(1).map((release, index) => [releases[index] as string, release] as const);

  it('arguments, results and failures of activities, local ones too, are in the recorded histories', () => {
    const activities = [...shapesOf(releases[0] as string).keys()].filter((path) => !path.includes('/'));
    expect(activities).toEqual(
      expect.arrayContaining(
        Object.entries({
          collectFacts: ['arguments', 'result', 'failure FactStale'],
          decide: ['arguments', 'result'],
          // Local ones.
          readDefaults: ['result'],
          evaluatePolicy: ['result'],
          recordDecision: ['arguments', 'result'],
          runAction: ['arguments', 'result', 'failure LeaseLapsed'],
          compensateAction: ['arguments', 'result'],
          sendAlert: ['arguments'],
        }).flatMap(([activity, parts]) => parts.map((part) => `${activity} ${part}`)),
      ),
    );
  });

  it('arguments and results of activities of a release are readable by the release before', () => {
    for (const [previous, next] of pairs) {
      expect({ next, unreadable: unreadable(shapesOf(previous), shapesOf(next)) }).toEqual({ next, unreadable: [] });
    }
  });

  it('arguments and results of activities that lack a field, or have it in another type, are noticed', () => {
    const [before, after]: [Shapes, Shapes] = [new Map(), new Map()];
    note(before, 'a', { kept: 1, gone: 'x', changed: 'x' });
    note(after, 'a', { kept: 1, changed: 2, added: true });
    expect(unreadable(before, after)).toEqual([
      'a/gone is no longer always there',
      'a/changed was string, and is number',
    ]);
  });
});
