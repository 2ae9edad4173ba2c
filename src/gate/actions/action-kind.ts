import type { AlertSeverity } from '../../kernel/alert-event';
import type { Fault } from '../../kernel/failures';
import type { HttpFetch } from '../../platform/http/http-client';
import type { ActionContext, ActionResult, ActionSpec, ReplicateImageAction, ShardAction } from './action';

export interface RunOptions {
  /** the same for every attempt */
  idempotencyKey: string;
  /** ends the request */
  signal: AbortSignal;
  /** errors and summaries name the address as the spec has it, templates and all: what they stand for is masked */
  hidesValues?: boolean;
  /** names of values that the action is to give; @default none */
  outputs?: readonly string[];
}

/** As an action is taken back. */
export interface CompensateOptions extends RunOptions {
  /** the key under which `run` was called; `idempotencyKey` is the one of taking back */
  runKey: string;
}

/** What an action may need besides its spec; it comes from the worker's settings. */
export interface ActionDeps {
  /** with the proxies and certificates of `actions.tls` */
  fetch: HttpFetch;
  /**
   * The secret of that name for a request to `url`, read again at each use.
   *
   * @throws GateError ConfigInvalid for a secret that the settings do not have, that cannot be read, or that may not go to
   *   that host
   */
  readSecret(name: string, url: URL): Promise<string>;
  /** the module of that name; @throws GateError ConfigInvalid when the settings have none, or it cannot be loaded */
  loadModule(name: string): Promise<ActionModule>;
  notices: Notices;
  /** carries out what is done with images */
  replicateImage: ActionRunner<ReplicateImageAction>;
  /** carries out what is done with shards */
  changeShard: ActionRunner<ShardAction>;
}

/** One message to people. */
export interface Notice {
  /** the same for every attempt */
  key: string;
  deploymentId: string;
  stage: string;
  severity: AlertSeverity;
  summary: string;
  description: string;
}

/** Who can be told something. */
export interface Notices {
  /** names, in the order of the settings */
  receivers(): readonly string[];
  /** Asks those that have not taken it yet. @throws Error that names each receiver which did not take it */
  tell(notice: Notice, to: readonly string[]): Promise<void>;
}

/** What a module of the user's own gets of the action that it carries out. */
export interface ModuleRequest {
  /** of the deployment file, with templates filled in */
  options: Record<string, unknown>;
  context: ActionContext;
  /** the same for every attempt; another one to compensate */
  idempotencyKey: string;
  /** aborted when the deployment is aborted or the attempt runs out of time */
  signal: AbortSignal;
}

/**
 * An action of the user's own. An error with `retryable: false` ends the attempts; one with `mayHaveBeenSent: false` says
 * that nothing was begun, so that nothing is taken back. Without them an error is retried and counts as begun.
 */
export interface ActionModule {
  run(request: ModuleRequest): Promise<Partial<ActionResult> | void>;
  /** takes back what `run` did or may have done */
  compensate?(request: ModuleRequest): Promise<Partial<ActionResult> | void>;
}

/** Carries out the actions of one type. */
export interface ActionRunner<Spec extends ActionSpec = ActionSpec> {
  /** @throws ActionError */
  run(spec: Spec, context: ActionContext, options: RunOptions): Promise<ActionResult>;
  /** undoes what `run` did, or may have done; @throws ActionError */
  compensate(spec: Spec, context: ActionContext, options: CompensateOptions): Promise<ActionResult>;
}

/** One type of action. A new one is a file that exports this, listed in `adapters/index.ts`. */
export interface ActionKind<Spec extends ActionSpec = ActionSpec> {
  readonly type: Spec['type'];
  /** every fault that can be seen before anything runs; `context` may be the deployment's own with an example decision id */
  check(spec: Spec, context: ActionContext): Fault[];
  create(deps: ActionDeps): ActionRunner<Spec>;
}
