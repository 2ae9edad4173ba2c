import { describe, expect, it } from '@jest/globals';
import { versionFindings } from '../../../src/clients/doctor/version-findings';
import type { TaskRouting } from '../../../src/platform/temporal/versioning/task-routing';
import type { WorkerAnswer } from '../../../src/releases/fleet/worker-answer';

const a = { name: 'gate', buildId: 'a' };
const b = { name: 'gate', buildId: 'b' };
/** A worker that answered; without a deployment it is unversioned. */
const worker = (buildID: string, deployment?: string): WorkerAnswer =>
  ({ identity: buildID, release: { buildID, deployment } }) as WorkerAnswer;
const silent: WorkerAnswer = { identity: 'gone', silence: 'timeout' };

describe('the findings about workers', () => {
  it.each<[string, TaskRouting, WorkerAnswer[], [state: string, found: RegExp][]]>([
    [
      'unversioned workers get the tasks',
      {},
      [worker('a')],
      [['ok', /^1 worker of build a, unversioned, gets tasks$/]],
    ],
    [
      'two builds of unversioned workers are one group',
      {},
      [worker('b'), worker('a')],
      [['ok', /^2 workers of build a, b, unversioned, get tasks$/]],
    ],
    [
      'the current build has a worker',
      { current: a },
      [worker('a', 'gate')],
      [['ok', /^1 worker of build gate:a gets tasks$/]],
    ],
    [
      'a build polls without being current, beside the current one',
      { current: a },
      [worker('a', 'gate'), worker('b', 'gate')],
      [
        ['ok', /build gate:a gets tasks/],
        ['note', /^build gate:b polls and is not current/],
      ],
    ],
    [
      'the current build has no worker, and unversioned workers get nothing',
      { current: a },
      [worker('b')],
      [
        ['missing', /^build gate:a is current and has no worker/],
        ['missing', /without a version gets no tasks$/],
      ],
    ],
    [
      'a ramping build gets tasks beside the current one',
      { current: a, ramping: { version: b, percentage: 10 } },
      [worker('a', 'gate'), worker('b', 'gate')],
      [
        ['ok', /gate:a/],
        ['ok', /gate:b/],
      ],
    ],
    ['no worker answers', {}, [silent], [['note', /^no worker answers$/]]],
    ['no worker is known', {}, [], [['note', /^no worker answers$/]]],
  ])('the findings about workers say that %s', (_title, routing, answers, expected) => {
    const findings = versionFindings(routing, answers);
    expect(findings.map(({ state }) => state)).toEqual(expected.map(([state]) => state));
    findings.forEach(({ found }, index) => expect(found).toMatch(expected[index]![1]));
  });
});
