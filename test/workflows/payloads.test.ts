import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { compare } from 'semver';
import { decodeHistory, type HistoryFile } from '../support/history-file';

const HISTORIES = join(__dirname, '..', 'histories');
const versions = readdirSync(HISTORIES).sort(compare);

/** By activity and path, how often a value was there, and which types it had. */
type Shapes = Map<string, { count: number; types: Set<string> }>;

/** What the previous release would miss, or find of another type, in what the next one wrote. */
function unreadable(previous: Shapes, next: Shapes): string[] {
  return [...previous].flatMap(([path, { count, types }]) => {
    const parent = path.slice(0, path.lastIndexOf('/'));
    const found = next.get(path);
    const wasAlwaysThere = count === previous.get(parent)?.count;
    const isAlwaysThere = (found?.count ?? 0) === (next.get(parent)?.count ?? 0);
    if (wasAlwaysThere && !isAlwaysThere) return [`${path} is no longer always there`];
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
    for (const [key, inner] of Object.entries(value as object)) note(shapes, `${path}/${key}`, inner);
}

/** Arguments and results of the activities in a version's recorded histories, those that went through the server. */
function shapesOf(version: string): Shapes {
  const shapes: Shapes = new Map();
  for (const name of readdirSync(join(HISTORIES, version))) {
    const file = JSON.parse(readFileSync(join(HISTORIES, version, name), 'utf8')) as HistoryFile;
    const typeOf = new Map<string, string>();
    for (const event of decodeHistory(file).events ?? []) {
      const scheduled = event.activityTaskScheduledEventAttributes;
      const completed = event.activityTaskCompletedEventAttributes;
      const type = scheduled?.activityType?.name ?? typeOf.get(String(completed?.scheduledEventId)) ?? '';
      if (scheduled) typeOf.set(String(event.eventId), type);
      const payloads = scheduled?.input?.payloads ?? completed?.result?.payloads ?? [];
      for (const { data } of payloads) {
        if (!data?.length) continue;
        note(shapes, `${type} ${scheduled ? 'arguments' : 'result'}`, JSON.parse(Buffer.from(data).toString()));
      }
    }
  }
  return shapes;
}

describe('arguments and results of activities', () => {
  const pairs = versions.slice(1).map((version, index) => [versions[index] as string, version] as const);

  it('arguments and results of activities are in the recorded histories', () => {
    const activities = [...shapesOf(versions[0] as string).keys()].filter((path) => !path.includes('/'));
    expect(activities).toEqual(expect.arrayContaining(['collectFacts arguments', 'collectFacts result']));
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
