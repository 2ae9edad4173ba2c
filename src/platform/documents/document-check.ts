import { Ajv, type Options, type ValidateFunction } from 'ajv';
import type { JsonObject } from '../../kernel/json';
import { toAjvSchema } from './ajv-schema';
import { PREPARED_CHECKS } from './prepared-checks';
import type { TSchema } from './typebox';

/** How documents are checked: every fault is found, and defaults are filled in. */
export const CHECK_OPTIONS: Options = {
  allErrors: true,
  useDefaults: true,
  discriminator: true,
  verbose: true,
  strict: false,
  // The schemas are our own.
  meta: false,
  validateSchema: false,
};

const known = new WeakMap<TSchema, ValidateFunction>();

/** The check of a document by its schema, which the build has compiled, or which is compiled when it is first asked for. */
export function documentCheck(schema: TSchema): ValidateFunction {
  let check = known.get(schema);
  if (check === undefined) {
    const document = toAjvSchema(schema);
    check = PREPARED_CHECKS[checkKey(document)]?.() ?? compileCheck(document);
    known.set(schema, check);
  }
  return check;
}

/** Under which a check that the build has compiled is found: the schema itself, so that it is never another one's. */
export const checkKey = (document: JsonObject): string => JSON.stringify(document);

/** A command pays for this once, and checks a document or two: faster code is not worth its compilation. */
const compileCheck = (document: JsonObject): ValidateFunction =>
  new Ajv({ ...CHECK_OPTIONS, code: { optimize: false } }).compile(document);
