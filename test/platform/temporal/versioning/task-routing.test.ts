import { describe, expect, it } from '@jest/globals';
import { receivesTasks, toTaskRouting } from '../../../../src/platform/temporal/versioning/task-routing';

const one = { name: 'gate', buildId: '1' };
const two = { name: 'gate', buildId: '2' };
const proto = ({ name, buildId }: typeof one) => ({ deploymentName: name, buildId });

describe('toTaskRouting', () => {
  it.each([
    ['a server that knows no worker deployments', undefined, {}],
    ['no current version', { currentVersion: '__unversioned__' }, {}],
    ['a current version', { currentDeploymentVersion: proto(one) }, { current: one }],
    [
      'a ramp to another version',
      { currentDeploymentVersion: proto(one), rampingDeploymentVersion: proto(two), rampingVersionPercentage: 5 },
      { current: one, ramping: { version: two, percentage: 5 } },
    ],
    [
      'a ramp to the unversioned workers',
      { currentDeploymentVersion: proto(one), rampingVersionPercentage: 5 },
      { current: one, ramping: { percentage: 5 } },
    ],
    [
      'a ramp of zero percent',
      { currentDeploymentVersion: proto(one), rampingDeploymentVersion: proto(two), rampingVersionPercentage: 0 },
      { current: one },
    ],
  ])('toTaskRouting reads %s', (_what, info, routing) => {
    expect(toTaskRouting(info)).toEqual(routing);
  });
});

describe('receivesTasks', () => {
  it.each([
    ['an unversioned worker while no build is current', {}, undefined, true],
    ['an unversioned worker while a build is current', { current: one }, undefined, false],
    ['a versioned worker while no build is current', {}, one, false],
    ['the current build', { current: one }, one, true],
    ['another build', { current: one }, two, false],
    ['the same build id in another deployment', { current: one }, { ...one, name: 'other' }, false],
    ['the ramping build', { current: one, ramping: { version: two, percentage: 1 } }, two, true],
    ['the current build during a ramp', { current: one, ramping: { version: two, percentage: 99 } }, one, true],
    ['the current build after a full ramp', { current: one, ramping: { version: two, percentage: 100 } }, one, false],
    ['unversioned workers that are ramped to', { current: one, ramping: { percentage: 10 } }, undefined, true],
    ['unversioned workers before a full ramp', { ramping: { version: one, percentage: 99 } }, undefined, true],
  ])('receivesTasks tells for %s', (_what, routing, version, expected) => {
    expect(receivesTasks(routing, version)).toBe(expected);
  });
});
