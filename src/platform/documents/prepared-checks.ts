import type { ValidateFunction } from 'ajv';

/**
 * Checks that the build has compiled, by `checkKey` or the id of a dialect: compiling them takes longer than all else that a
 * short command does. There are none in the sources; scripts/prepare-checks.mjs writes this module anew in what is built.
 */
export const PREPARED_CHECKS: Readonly<Record<string, () => ValidateFunction>> = {};
