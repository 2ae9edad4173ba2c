/** The part of WebAssembly's interface that is used here: TypeScript has it only together with all of the browser's. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array | ArrayBuffer);
  }
  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Record<string, unknown>;
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  interface Global {
    readonly value: number;
  }
  class LinkError extends Error {}
  class CompileError extends Error {}
  class RuntimeError extends Error {}
  type ModuleImports = Record<string, unknown>;
  type Imports = Record<string, ModuleImports>;
  interface WebAssemblyInstantiatedSource {
    module: Module;
    instance: Instance;
  }
  function compile(bytes: Uint8Array | ArrayBuffer): Promise<Module>;
}
