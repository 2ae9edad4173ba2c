import { LoadedPolicy } from '@open-policy-agent/opa-wasm';
import type { JsonValue } from '../kernel/json';
import { BuiltinError, type Builtin, type BuiltinContext } from './builtins/builtin';
import { BUILTINS } from './builtins';
import { EvaluationBudget } from './builtins/plan-builtin';
import type { RegoObject } from './values/rego-object';
import type { RegoSet } from './values/rego-set';
import type { RegoValue } from './values/value';
import { parseValue, writeValue } from './values/wasm-text';

const PAGE_BYTES = 64 * 1024;
/** what an empty policy needs; opa-wasm's own default */
const INITIAL_PAGES = 5;
const DEFAULT_MEMORY_MIB = 64;
/** `format` of `opa_eval`: JSON, or Rego's own text, in which a set is not an array and numbers keep their digits */
const Format = { json: 0, rego: 1 } as const;
/** A unit of UTF-16 is at most this long in UTF-8. */
const BYTES_PER_UNIT = 3;

export interface WasmPolicyOptions {
  /**
   * the most memory that the policy may use, MiB; more makes the evaluation fail
   * @default 64
   */
  memoryMiB?: number;
  /** told the name of each of the host's built-ins that an evaluation calls; costs nothing when absent */
  onBuiltin?(name: string): void;
}

/** One instance of a compiled policy. Not for two evaluations at a time, nor for another one after a failed one. */
export interface WasmPolicy {
  /** ids by entrypoint name, `gate/response` */
  readonly entrypoints: Readonly<Record<string, number>>;
  /** bytes of linear memory in use; it never shrinks and never passes the ceiling */
  readonly memoryBytes: number;
  /** Replaces `data`, for all evaluations that follow. @param dataText JSON of an object */
  setData(dataText: string): void;
  /**
   * The value of an entrypoint; undefined where Rego's is. Sets come as arrays in no promised order, numbers as doubles.
   *
   * @param inputText JSON of any value; undefined leaves Rego's `input` undefined
   * @param decisionTimeNs what `time.now_ns()` answers, nanoseconds since the epoch
   * @throws PolicyRunError when there is no such entrypoint, or the policy aborts, conflicts or runs out of memory
   */
  evaluate(entrypoint: string, inputText: string | undefined, decisionTimeNs: bigint): JsonValue | undefined;
  /** Like `evaluate`, as the module writes it: `readAnswer` reads it. Equal texts are equal answers. */
  evaluateToText(entrypoint: string, inputText: string | undefined, decisionTimeNs: bigint): string;
  /** Like `evaluate`, with sets as sets, every digit of a number and keys of any type: for comparing with OPA. */
  evaluateExactly(entrypoint: string, inputText: string | undefined, decisionTimeNs: bigint): RegoValue | undefined;
}

/** The value in a text of `evaluateToText`; undefined where Rego's is. @throws SyntaxError where it is no JSON */
export function readAnswer(text: string): JsonValue | undefined {
  const [found] = JSON.parse(text) as { result: JsonValue }[];
  return found?.result;
}

/** An evaluation that gave no answer. opa-wasm throws bare strings; what it threw is the cause. */
export class PolicyRunError extends Error {
  override readonly name = 'PolicyRunError';
}

/** The part of OPA's wasm ABI that is used here: https://www.openpolicyagent.org/docs/wasm */
interface PolicyExports {
  opa_wasm_abi_version: WebAssembly.Global;
  opa_wasm_abi_minor_version: WebAssembly.Global;
  builtins(): number;
  opa_malloc(bytes: number): number;
  opa_value_dump(value: number): number;
  opa_value_parse(text: number, bytes: number): number;
  opa_json_dump(value: number): number;
  opa_eval(
    reserved: number,
    entrypoint: number,
    data: number,
    input: number,
    inputBytes: number,
    heap: number,
    format: number,
  ): number;
}

/**
 * Instantiates a policy that `opa build -t wasm` compiled, with the host's built-ins.
 *
 * @throws PolicyRunError when it is no such module, or needs a built-in that the host does not have
 */
export async function loadWasmPolicy(
  wasm: WebAssembly.Module | Uint8Array,
  options: WasmPolicyOptions = {},
): Promise<WasmPolicy> {
  try {
    const module = wasm instanceof WebAssembly.Module ? wasm : await WebAssembly.compile(wasm);
    return instantiatePolicy(module, options);
  } catch (cause) {
    throw asRunError(NOT_LOADED, cause);
  }
}

/** As `loadWasmPolicy`, at once, of a module that is compiled already. */
export function instantiatePolicy(module: WebAssembly.Module, options: WasmPolicyOptions = {}): WasmPolicy {
  const maximum = Math.floor(((options.memoryMiB ?? DEFAULT_MEMORY_MIB) * 1024 * 1024) / PAGE_BYTES);
  try {
    return new OpaWasmPolicy(module, maximum, options.onBuiltin);
  } catch (cause) {
    throw asRunError(NOT_LOADED, cause);
  }
}

const NOT_LOADED = 'The policy could not be loaded';
/** UTF-16 units of an answer that is kept to be compared with the next. */
const LONGEST_KEPT = 1_000;
const asWritten = (text: string): string => text;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * opa-wasm's `LoadedPolicy` over imports of our own. Its `loadPolicy` would call its first-party built-ins (a `sprintf`
 * of its own among them) before ours, and hand every operand over as JSON that is parsed into doubles; with the imports
 * ours, operands come in Rego's own text and no built-in of the package is reached.
 */
class OpaWasmPolicy implements WasmPolicy {
  private readonly memory: WebAssembly.Memory;
  private readonly exports: PolicyExports;
  private readonly loaded: LoadedPolicy;
  private readonly builtins = new Map<number, Builtin>();
  private context: BuiltinContext = { decisionTimeNs: 0n, budget: new EvaluationBudget() };
  private bytes: Uint8Array;
  private lastAnswer = { bytes: new Uint8Array(), text: '' };

  constructor(
    module: WebAssembly.Module,
    maximumPages: number,
    private readonly onBuiltin: WasmPolicyOptions['onBuiltin'],
  ) {
    const { instance, memory } = this.instantiate(module, maximumPages);
    this.memory = memory;
    this.bytes = new Uint8Array(memory.buffer);
    this.exports = instance.exports as unknown as PolicyExports;
    const [version, minor] = [this.exports.opa_wasm_abi_version, this.exports.opa_wasm_abi_minor_version];
    if (version?.value !== 1 || minor.value < 2) {
      throw new Error(`Expected a policy of OPA's wasm ABI 1.2 or later 1.x, found ${version?.value}.${minor?.value}`);
    }
    this.bindBuiltins();
    this.loaded = new LoadedPolicy({ instance, module }, memory, minor.value);
  }

  get entrypoints(): Readonly<Record<string, number>> {
    return this.loaded.entrypoints as Record<string, number>;
  }

  get memoryBytes(): number {
    return this.memory.buffer.byteLength;
  }

  setData(dataText: string): void {
    try {
      this.loaded.setData(encoder.encode(dataText).buffer as ArrayBuffer);
    } catch (cause) {
      throw asRunError('The data could not be loaded', cause);
    }
  }

  evaluate(entrypoint: string, inputText: string | undefined, decisionTimeNs: bigint): JsonValue | undefined {
    return this.run(entrypoint, inputText, decisionTimeNs, Format.json, readAnswer);
  }

  evaluateToText(entrypoint: string, inputText: string | undefined, decisionTimeNs: bigint): string {
    return this.run(entrypoint, inputText, decisionTimeNs, Format.json, asWritten);
  }

  evaluateExactly(entrypoint: string, inputText: string | undefined, decisionTimeNs: bigint): RegoValue | undefined {
    return this.run(entrypoint, inputText, decisionTimeNs, Format.rego, (text) => {
      const [found] = (parseValue(text) as RegoSet).items as RegoObject[];
      return found?.get('result');
    });
  }

  /** As opa-wasm's own `evaluate` does, without its copies of the input, and whatever JSON that is. */
  private run<T>(
    entrypoint: string,
    inputText: string | undefined,
    decisionTimeNs: bigint,
    format: number,
    read: (text: string) => T,
  ): T {
    this.context = { decisionTimeNs, budget: new EvaluationBudget() };
    try {
      const id = Object.hasOwn(this.entrypoints, entrypoint) ? this.entrypoints[entrypoint] : undefined;
      if (id === undefined) throw new Error(`entrypoint ${entrypoint} is not valid in this instance`);
      const at = this.loaded.dataHeapPtr as number;
      const length = inputText === undefined ? 0 : this.writeInput(inputText, at);
      const { dataAddr } = this.loaded;
      return read(this.answerAt(this.exports.opa_eval(0, id, dataAddr, length && at, length, at + length, format)));
    } catch (cause) {
      throw asRunError(`The evaluation of ${entrypoint} failed`, cause);
    }
  }

  /** The module says how many pages it starts with, and nothing in WebAssembly's interface tells: so, ask upwards. */
  private instantiate(module: WebAssembly.Module, maximum: number) {
    for (let initial = Math.min(INITIAL_PAGES, maximum); ; initial = Math.min(initial * 2, maximum)) {
      const memory = new WebAssembly.Memory({ initial, maximum });
      try {
        return { memory, instance: new WebAssembly.Instance(module, { env: this.imports(memory) }) };
      } catch (error) {
        if (!(error instanceof WebAssembly.LinkError) || initial === maximum) throw error;
      }
    }
  }

  private imports(memory: WebAssembly.Memory): WebAssembly.ModuleImports {
    const call = (id: number, _context: number, ...operands: number[]) => this.callBuiltin(id, operands);
    return {
      memory,
      opa_abort: (at: number) => {
        throw new Error(this.textAt(at));
      },
      // only `print` calls this, and `opa build` leaves those out
      opa_println: () => undefined,
      opa_builtin0: call,
      opa_builtin1: call,
      opa_builtin2: call,
      opa_builtin3: call,
      opa_builtin4: call,
    };
  }

  private bindBuiltins(): void {
    const ids = JSON.parse(this.textAt(this.exports.opa_json_dump(this.exports.builtins()))) as Record<string, number>;
    const missing = Object.keys(ids).filter((name) => !Object.hasOwn(BUILTINS, name));
    if (missing.length > 0) {
      throw new Error(`The policy calls built-ins that are not supported here: ${missing.sort().join(', ')}`);
    }
    for (const [name, id] of Object.entries(ids)) this.builtins.set(id, this.traced(name, BUILTINS[name]!));
  }

  private traced(name: string, builtin: Builtin): Builtin {
    const { onBuiltin } = this;
    if (onBuiltin === undefined) return builtin;
    return (operands, context) => {
      onBuiltin(name);
      return builtin(operands, context);
    };
  }

  /** @returns the address of the answer, or 0, which is Rego's undefined */
  private callBuiltin(id: number, operands: readonly number[]): number {
    const values = operands.map((at) => parseValue(this.textAt(this.exports.opa_value_dump(at))));
    const answer = runBuiltin(this.builtins.get(id)!, values, this.context);
    if (answer === undefined) return 0;
    const text = encoder.encode(writeValue(answer));
    const at = this.exports.opa_malloc(text.length);
    this.view().set(text, at);
    const value = this.exports.opa_value_parse(at, text.length);
    if (value === 0) throw new Error(`The answer of a built-in is no Rego value: ${writeValue(answer)}`);
    return value;
  }

  /** @returns how many bytes it has */
  private writeInput(text: string, at: number): number {
    if (at + text.length * BYTES_PER_UNIT > this.memory.buffer.byteLength) {
      const lacking = at + Buffer.byteLength(text) - this.memory.buffer.byteLength;
      if (lacking > 0) this.memory.grow(Math.ceil(lacking / PAGE_BYTES));
    }
    return encoder.encodeInto(text, this.view().subarray(at)).written;
  }

  /** Most answers of a policy are the same text as the one before: bytes that are equal are not decoded again. */
  private answerAt(at: number): string {
    const bytes = this.view();
    const { bytes: last } = this.lastAnswer;
    let same = 0;
    while (same < last.length && bytes[at + same] === last[same]) same++;
    if (same === last.length && bytes[at + same] === 0) return this.lastAnswer.text;
    const text = this.textAt(at);
    if (text.length <= LONGEST_KEPT) this.lastAnswer = { bytes: encoder.encode(text), text };
    return text;
  }

  private textAt(at: number): string {
    const bytes = this.view();
    return decoder.decode(bytes.subarray(at, bytes.indexOf(0, at)));
  }

  /** Growing the memory detaches the buffer of every older view. */
  private view(): Uint8Array {
    if (this.bytes?.buffer !== this.memory.buffer) this.bytes = new Uint8Array(this.memory.buffer);
    return this.bytes;
  }
}

/** As OPA does without `--strict-builtin-errors`: a built-in that reports an error is undefined. */
function runBuiltin(builtin: Builtin, operands: RegoValue[], context: BuiltinContext): RegoValue | undefined {
  try {
    return builtin(operands, context);
  } catch (error) {
    if (error instanceof BuiltinError) return undefined;
    throw error;
  }
}

function asRunError(doing: string, cause: unknown): PolicyRunError {
  if (cause instanceof PolicyRunError) return cause;
  const why = cause instanceof Error ? cause.message : typeof cause === 'string' ? cause : JSON.stringify(cause);
  return new PolicyRunError(`${doing}: ${why}`, { cause });
}
