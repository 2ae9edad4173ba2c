import { Ajv2020, type Options } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';

/** Unknown keywords and formats are errors, as a misspelt one would check nothing; every fault is found, not the first. */
const STRICT: Options = { allErrors: true, verbose: true, strictTypes: false, strictTuples: false, logger: false };

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
    super(STRICT);
    addFormats(this);
  }

  override validateSchema(...args: Parameters<Ajv2020['validateSchema']>): ReturnType<Ajv2020['validateSchema']> {
    return DIALECT.validateSchema(...args);
  }
}
