import { OWN_ACTIONS } from '../../gate/actions/adapters';
import { createActionRegistry } from '../../gate/actions/registry';
import { replicateImageAction } from './replicate-image-action';

/** Every type of action that comes with the product: the gate's own, and those of this room. */
export const ACTIONS = createActionRegistry([...OWN_ACTIONS, replicateImageAction]);
