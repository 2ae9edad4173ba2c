import { Ajv2020, type AnySchema, type Options } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { PREPARED_CHECKS } from './prepared-checks';

/** Unknown keywords and formats are errors, as a misspelt one would check nothing; every fault is found, not the first. */
export const STRICT: Options = {
  allErrors: true,
  verbose: true,
  strictTypes: false,
  strictTuples: false,
  logger: false,
};

/** The id of draft 2020-12's own schema, under which the build keeps its check. */
export const DIALECT_ID = 'https://json-schema.org/draft/2020-12/schema';

/** Draft 2020-12's own schema, compiled once: that takes longer than most schemas that it is asked about. */
const DIALECT = addFormats(new Ajv2020(STRICT));

/**
 * Compiles JSON Schemas (draft 2020-12) that users wrote. One compiler for each schema: what is added to it, and the ids in it,
 * are known to no other.
 *
 * `addSchema` and `compile` throw an Error whose message says what is no schema.
 */
export class JsonSchemaCompiler extends Ajv2020 {
  constructor() {
    super({ ...STRICT, meta: false });
    // A schema may refer to the dialect's own ones. Adding them anew takes half as long as compiling a small schema.
    Object.assign(this.schemas, DIALECT.schemas);
    Object.assign(this.refs, DIALECT.refs);
    addFormats(this);
  }

  override validateSchema(schema: AnySchema, isThrown?: boolean): ReturnType<Ajv2020['validateSchema']> {
    const check = isOfDialect(schema) ? PREPARED_CHECKS[DIALECT_ID]?.() : undefined;
    if (check === undefined) return DIALECT.validateSchema(schema, isThrown);
    if (check(schema)) return true;
    if (isThrown) throw new Error(`schema is invalid: ${this.errorsText(check.errors)}`);
    return false;
  }
}

const isOfDialect = (schema: AnySchema): boolean =>
  typeof schema === 'object' && [undefined, DIALECT_ID].includes(schema.$schema as string | undefined);
