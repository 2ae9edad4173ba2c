import { aggregateBuiltins } from './aggregates';
import { arithmeticBuiltins } from './arithmetic';
import { arrayBuiltins } from './arrays';
import { base64Builtins } from './base64';
import { bitBuiltins } from './bits';
import type { Builtins } from './builtin';
import { castBuiltins } from './casts';
import { comparisonBuiltins } from './comparison';
import { cryptoBuiltins } from './crypto';
import { encodingBuiltins } from './encodings';
import { globBuiltins } from './glob';
import { graphBuiltins } from './graphs';
import { graphqlBuiltins } from './graphql';
import { internalBuiltins } from './internals';
import { jsonBuiltins } from './json';
import { jsonPatchBuiltins } from './json-patch';
import { jsonPathBuiltins } from './json-paths';
import { awsSigningBuiltins } from './aws-signing';
import { globsMatchBuiltins } from './globs-match';
import { jwtSigningBuiltins } from './jwt-signing';
import { uriBuiltins } from './uris';
import { jsonSchemaBuiltins } from './json-schema';
import { jsonWebTokenBuiltins } from './json-web-tokens';
import { netBuiltins } from './net';
import { numberBuiltins } from './numbers';
import { objectBuiltins } from './objects';
import { regexBuiltins } from './regex';
import { semverBuiltins } from './semver';
import { setBuiltins } from './sets';
import { sprintfBuiltins } from './sprintf';
import { stringBuiltins } from './strings';
import { textTemplateBuiltins } from './text-template';
import { timeBuiltins } from './time';
import { typeBuiltins } from './types';
import { unitBuiltins } from './units';
import { uuidBuiltins } from './uuids';
import { walkBuiltins } from './walk';
import { x509Builtins } from './x509';
import { yamlBuiltins } from './yaml';

/**
 * Every built-in, by its name in Rego. The evaluator of OPA's plan takes all of them from here, a wasm module those that
 * it asks its host for; any other is refused when a policy is built.
 */
export const BUILTINS: Builtins = {
  ...aggregateBuiltins,
  ...arithmeticBuiltins,
  ...arrayBuiltins,
  ...base64Builtins,
  ...bitBuiltins,
  ...castBuiltins,
  ...comparisonBuiltins,
  ...cryptoBuiltins,
  ...encodingBuiltins,
  ...globBuiltins,
  ...graphBuiltins,
  ...graphqlBuiltins,
  ...internalBuiltins,
  ...jsonBuiltins,
  ...jsonPatchBuiltins,
  ...jsonPathBuiltins,
  ...awsSigningBuiltins,
  ...globsMatchBuiltins,
  ...jwtSigningBuiltins,
  ...uriBuiltins,
  ...jsonSchemaBuiltins,
  ...jsonWebTokenBuiltins,
  ...netBuiltins,
  ...numberBuiltins,
  ...objectBuiltins,
  ...regexBuiltins,
  ...semverBuiltins,
  ...setBuiltins,
  ...sprintfBuiltins,
  ...stringBuiltins,
  ...textTemplateBuiltins,
  ...timeBuiltins,
  ...typeBuiltins,
  ...unitBuiltins,
  ...uuidBuiltins,
  ...walkBuiltins,
  ...x509Builtins,
  ...yamlBuiltins,
};
