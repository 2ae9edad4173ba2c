import { escapeHtml, writeJson } from '../../values/json';
import { fromPlain, toPlain } from '../../values/plain';
import type { RegoValue } from '../../values/value';

/** A value as Go writes it into JSON after it read its numbers as doubles: what equality means to OPA's validator. */
export const marshalled = (value: RegoValue): string => escapeHtml(writeJson(fromPlain(toPlain(value))));
