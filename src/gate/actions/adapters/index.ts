import { httpAction } from './http';
import { moduleAction } from './module';
import { noneAction } from './none';
import { notifyAction } from './notify';
import { shardAction } from './shard';

/** The types of action of this room; `images/gating/all-actions.ts` has all that come with the product. */
export const OWN_ACTIONS = [noneAction, httpAction, moduleAction, notifyAction, shardAction] as const;
