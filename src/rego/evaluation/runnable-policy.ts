import type { JsonObject } from '../../kernel/json';
import type { Declaration } from '../declarations/declaration';
import type { SecondOpinionSetting } from '../evaluation-account';

/** What a policy is run from. Plain data, which crosses to a thread. */
export interface RunnablePolicy {
  /** plan.json; where it is absent the compiled module decides alone */
  planText?: string;
  /** compiled once; threads share its code. Absent where policy.wasm is no valid module, which a plan makes up for */
  module?: WebAssembly.Module;
  /** why there is no module */
  noModule?: string;
  /** JSON of the whole `data` document */
  dataText: string;
  entrypoint: string;
  memoryMiB: number;
  /** @default when-possible */
  secondOpinion?: SecondOpinionSetting;
  /** the JSON Schema of the input: which collections may be empty */
  inputSchema?: JsonObject;
  /** what rules deal with themselves */
  declarations?: readonly Declaration[];
  /** the policy's packages, each as its path without `data` */
  packages?: readonly (readonly string[])[];
}
