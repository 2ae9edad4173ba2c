import type { Builtins } from './builtin';
import { castBuiltins } from './casts';
import { cryptoBuiltins } from './crypto';
import { encodingBuiltins } from './encodings';
import { jsonPatchBuiltins } from './json-patch';
import { jsonWebTokenBuiltins } from './json-web-tokens';
import { objectBuiltins } from './objects';
import { timeBuiltins } from './time';
import { uuidBuiltins } from './uuids';
import { netBuiltins } from './net';
import { numberBuiltins } from './numbers';
import { regexBuiltins } from './regex';
import { semverBuiltins } from './semver';
import { sprintfBuiltins } from './sprintf';
import { stringBuiltins } from './strings';
import { unitBuiltins } from './units';

/** Every built-in that the host implements; the rest is either inside the wasm module or refused at build time. */
export const HOST_IMPLEMENTATIONS: Builtins = {
  ...castBuiltins,
  ...cryptoBuiltins,
  ...encodingBuiltins,
  ...jsonPatchBuiltins,
  ...jsonWebTokenBuiltins,
  ...objectBuiltins,
  ...timeBuiltins,
  ...uuidBuiltins,
  ...netBuiltins,
  ...numberBuiltins,
  ...regexBuiltins,
  ...semverBuiltins,
  ...sprintfBuiltins,
  ...stringBuiltins,
  ...unitBuiltins,
};
