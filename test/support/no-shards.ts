import type { ActionDeps } from '../../src/gate/actions/action-kind';

/** For tests of actions that change no shard. */
export const noShards: ActionDeps['changeShard'] = {
  run: () => Promise.reject(new Error('no shard is changed here')),
  compensate: () => Promise.reject(new Error('no shard is changed back here')),
};
