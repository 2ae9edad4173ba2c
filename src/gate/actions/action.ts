import type { JsonObject, JsonValue } from '../../kernel/json';

/** What a stage does once it is allowed. */
export type ActionSpec = NoneAction | HttpAction;

/** The stage only gates: nothing is started. */
export interface NoneAction {
  type: 'none';
}

/** One HTTP request; templates are filled in when it is sent. */
export interface HttpRequestSpec {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** http or https; may hold `{{ … }}` templates */
  url: string;
  headers?: Record<string, string>;
  /** templates in string leaves; a leaf that is one template alone keeps the value's type */
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
  /** sent when the deployment is aborted while this action runs or when it failed halfway */
  compensation?: HttpRequestSpec;
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
}
