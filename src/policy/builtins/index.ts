import type { Builtins } from './builtin';
import { castBuiltins } from './casts';
import { cryptoBuiltins } from './crypto';
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
  ...netBuiltins,
  ...numberBuiltins,
  ...regexBuiltins,
  ...semverBuiltins,
  ...sprintfBuiltins,
  ...stringBuiltins,
  ...unitBuiltins,
};
