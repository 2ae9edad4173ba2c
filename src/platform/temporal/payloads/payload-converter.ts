import { defaultPayloadConverter } from '@temporalio/common';
import { createMessageConverter } from './messages';

/** Temporal's own payload converter, made to read messages; loaded by path, into bundles too. */
export const payloadConverter = createMessageConverter(defaultPayloadConverter);
