import type { Builtins } from './builtin';
import { sprintfBuiltins } from './sprintf';

/** Every built-in that the host implements; the rest is either inside the wasm module or refused at build time. */
export const HOST_IMPLEMENTATIONS: Builtins = {
  ...sprintfBuiltins,
};
