const modules = new WeakMap<Uint8Array, Promise<WebAssembly.Module>>();

/**
 * The module of a bundle's wasm, compiled off the main thread and once however often it is asked for: whoever reads a bundle
 * asks first, so that it is under way while the rest is read and checked. The bytes must not change.
 */
export function compileOnce(wasm: Uint8Array): Promise<WebAssembly.Module> {
  const known = modules.get(wasm);
  if (known !== undefined) return known;
  const compiled = WebAssembly.compile(wasm);
  // Who asked first may never wait for it.
  compiled.catch(() => undefined);
  modules.set(wasm, compiled);
  return compiled;
}
