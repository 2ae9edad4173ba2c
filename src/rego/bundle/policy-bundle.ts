import type { JsonObject, JsonSchema } from '../../kernel/json';
import type { Declarations } from '../declarations/declaration';
import type { PolicyReads } from '../analysis/policy-reads';

/** A compiled policy as it came out of bundle.tar.gz; immutable. */
export interface PolicyBundle {
  /** SHA-256 in hex of the archive's bytes */
  sha: string;
  wasm: Uint8Array;
  /** plan.json of `opa build -t plan`; absent in a bundle that holds wasm alone */
  plan?: string;
  /** the bundle's data.json; never holds `config` */
  data: JsonObject;
  /** data.json as it is written, which keeps numbers that JavaScript would round @default the text of `data` */
  dataText?: string;
  /** the JSON Schemas of `input.deployment.attributes`, its `stage_attributes` and `data.config.parameters`, where given */
  attributesSchema?: JsonSchema;
  stageAttributesSchema?: JsonSchema;
  parametersSchema?: JsonSchema;
  /** the JSON Schema of the facts, `policy/input.json` */
  inputSchema: JsonSchema;
  reads: PolicyReads;
  /** what its rules deal with themselves; absent where the bundle does not say */
  declarations?: Declarations;
  /** entrypoint as OPA names it in wasm, `gate/response` */
  entrypoint: string;
  /** that of OPA's masks, `system/log/mask`; absent when the policy has none */
  maskEntrypoint?: string;
  /** the Rego files by their path in the bundle, for people and for diffs */
  sources: Record<string, string>;
}
