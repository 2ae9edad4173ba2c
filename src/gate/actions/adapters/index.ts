import { createActionRegistry } from '../registry';
import { httpAction } from './http';
import { noneAction } from './none';

/** Every type of action that comes with the product. */
export const { checkAction, runAction, compensate } = createActionRegistry([noneAction, httpAction]);
