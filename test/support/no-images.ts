import type { ActionDeps } from '../../src/gate/actions/action-kind';

/** For tests of actions that copy no image. */
export const noImages: ActionDeps['replicateImage'] = {
  run: () => Promise.reject(new Error('no image is copied here')),
  compensate: () => Promise.reject(new Error('no image is moved back here')),
};
