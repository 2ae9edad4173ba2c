import { createActionRegistry } from '../registry';
import { httpAction } from './http';
import { moduleAction } from './module';
import { noneAction } from './none';

/** Every type of action that comes with the product. */
export const ACTIONS = createActionRegistry([noneAction, httpAction, moduleAction]);
