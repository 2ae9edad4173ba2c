import type { Notices } from '../../src/gate/actions/action-kind';

/** For tests of actions that tell no one: settings without receivers. */
export const noNotices: Notices = {
  receivers: () => [],
  tell: () => Promise.reject(new Error('no one is told here')),
};
