import type { AlertSeverity } from '../../kernel/alert-event';
import type { JsonObject, JsonValue } from '../../kernel/json';

/** What a stage does once it is allowed. */
export type ActionSpec = NoneAction | HttpAction | ModuleAction | NotifyAction | ReplicateImageAction | ShardAction;

/** The stage only gates: nothing is started. */
export interface NoneAction {
  type: 'none';
}

/** A secret of the worker's settings, by its name under `actions.secrets`: it is read when the request is sent. */
export interface SecretUse {
  secret: string;
}

/** One HTTP request; templates are filled in when it is sent. */
export interface HttpRequestSpec {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** http or https; may hold `{{ … }}` templates behind its host */
  url: string;
  headers?: Record<string, string | SecretUse>;
  /** templates in string leaves, where one alone keeps the value's type; an object `{secret: NAME}` is that secret's text */
  body?: JsonValue;
  /** the status that counts as success; @default any 2xx */
  expect?: number;
}

/** One HTTP request under an idempotency key, and another that takes it back. */
export interface HttpAction extends HttpRequestSpec {
  type: 'http';
  /** @default Idempotency-Key */
  idempotencyKeyHeader?: string;
  /** per request, a duration; @default 10s */
  timeout?: string;
  /**
   * `false` for a receiver that does not honour the idempotency key: no attempt follows one that had no answer, or that a
   * gateway gave up (408, 504). @default true
   */
  retryOnTimeout?: boolean;
  /** sent when the deployment is aborted while this action runs or when it failed halfway */
  compensation?: HttpRequestSpec;
}

/** A module of the user's own, which the worker's settings name under `actions.modules`. */
export interface ModuleAction {
  type: 'module';
  /** the key under `actions.modules` */
  name: string;
  /** handed to the module; templates in string leaves */
  options?: JsonObject;
  /** whether the module's `compensate` is called when the action is taken back; @default false */
  compensate?: boolean;
}

/** One message to people. */
export interface NoticeSpec {
  /** one sentence, the subject; may hold templates */
  summary: string;
  /** what else there is to say; may hold templates */
  description?: string;
}

/** Tells the receivers of the worker's settings (`alerts.receivers`) something. */
export interface NotifyAction extends NoticeSpec {
  type: 'notify';
  /** names of receivers, such as `slack` or `alertmanager-2`; @default all */
  receivers?: string[];
  /** @default info */
  severity?: AlertSeverity;
  /** sent when the action is taken back */
  compensation?: NoticeSpec;
}

/** Copies one image between registries of the worker's settings, verified; the target's tag moves last. */
export interface ReplicateImageAction {
  type: 'replicate-image';
  /** `REGISTRY/REPOSITORY:TAG`, `…@DIGEST` or both; templates behind the registry */
  source: string;
  /** `REGISTRY/REPOSITORY[:TAG]`; @default the source's tag */
  target: string;
  /** keeps the image that the target's tag named before under this tag; may hold templates */
  backupTag?: string;
  /** a tag that names another image at the target stays, and the action fails; @default false */
  noOverwrite?: boolean;
  /** only these of an index, such as `linux/arm64` */
  platforms?: string[];
  /** `copy` takes an image of which the source lacks a part; @default refuse */
  incomplete?: 'refuse' | 'copy';
  /** of one attempt, a duration; a later attempt sends only what the target lacks; @default 1h */
  timeout?: string;
  /** whether the target's tag is moved back to what it named before when the action is taken back; @default false */
  compensate?: boolean;
}

/** One step at the shard manager of the worker's settings: a replica is added, removed or moved. */
export interface ShardAction {
  type: 'shard';
  operation: 'add' | 'remove' | 'move';
  /** the shard's id; may hold templates, as may the nodes' */
  shard: string;
  /** the node that loses the replica; of a removal and a move */
  from?: string;
  /** the node that gets the replica; of an addition and a move */
  to?: string;
  /** of a move, a duration, at most a day: the manager calls it off then; @default 30m */
  within?: string;
  /** whether what the step changed is taken back when the action is taken back; @default false */
  compensate?: boolean;
}

/** What templates may read. */
export interface ActionContext {
  deployment_id: string;
  stage: string;
  /** 0-based */
  stage_index: number;
  attributes: JsonObject;
  stage_attributes: JsonObject;
  /** the decision that allowed the action */
  decision_id: string;
}

/** What came of an action, for the audit record and for people. */
export interface ActionResult {
  /** HTTP status, when there was one */
  status?: number;
  /** a short note for people, without secrets */
  summary: string;
  /** values by name; kept are those that were asked for */
  outputs?: JsonObject;
}
