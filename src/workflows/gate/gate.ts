import { allHandlersFinished, CancellationScope, condition, log, setHandler, workflowInfo } from '@temporalio/workflow';
import { currentDetails } from '../../gate/deployments/current-details';
import { CARRIED_VERSION } from '../../gate/deployments/carried-gate';
import type { CarriedGate, DeploymentStatus } from '../../gate/deployments/deployment-state';
import type { StageSpec } from '../../gate/deployments/deployment-spec';
import { explain, summarise } from '../../gate/deployments/explain';
import {
  advance,
  carriedProgress,
  initialProgress,
  toStatus,
  type GateEvent,
  type GateProgress,
} from '../../gate/deployments/gate-progress';
import { compileBehaviour } from '../../gate/deployments/stage-behaviour';
import type { JsonObject } from '../../kernel/json';
import { explainQuery, statusQuery } from '../messages';
import { DECISION_OUTCOME, DEPLOYMENT_STAGE, PAUSE_REASON, POLICY_REVISION } from '../search-attributes';
import { WorkflowView, type ShownAttribute } from '../view';
import { readDefaults } from './activity-proxies';
import { GateAlerts } from './gate-alerts';
import { OperatorInbox } from './operator-inbox';
import { shouldContinueAsNew } from './should-continue-as-new';
import { StageGate } from './stage-gate';

/** A stage as the gate sees it: its action is the caller's business. */
export type GatedStage = Omit<StageSpec, 'action'>;

export interface GateOptions {
  deploymentId: string;
  attributes?: JsonObject;
  /** all stages in order, when they are known; `begin` adds what is missing */
  stages?: readonly string[];
  /** false in namespaces without the gate's search attributes; @default true */
  searchAttributes?: boolean;
  carried?: CarriedGate;
  /** continues as new with the given state; without it the history is left to grow */
  continueAsNew?: (carried: CarriedGate) => Promise<never>;
  /** continue as new beyond this many events, earlier than the server suggests */
  historyLimit?: number;
}

/**
 * The gate of one deployment, over all of its stages: what is known of it, what operators call, and what is shown. Its
 * state changes only by events from the caller's own line of control; handlers do no more than queue.
 */
export class Gate {
  readonly inbox: OperatorInbox;
  readonly alerts: GateAlerts;
  private known: GateProgress;
  private readonly view: WorkflowView;
  private present?: StageGate;

  constructor(readonly options: GateOptions) {
    const { carried } = options;
    this.known = initialProgress(options.deploymentId, options.stages ?? [], carried);
    this.view = new WorkflowView(
      {
        details: () => currentDetails(this.status(), this.inbox.notes),
        attributes: () => (options.searchAttributes === false ? [] : searchAttributes(this.status())),
      },
      carried?.shownAttributes,
    );
    this.alerts = new GateAlerts((message) => log.warn(message));
    this.inbox = new OperatorInbox(
      carried,
      () => this.status(),
      () => this.view.publish(),
    );
    setHandler(statusQuery, () => this.status());
    setHandler(explainQuery, () => explain(this.status(), this.inbox.notes));
  }

  get progress(): GateProgress {
    return this.known;
  }

  /** The stage that began last; absent until the first one knows the defaults in force, and nothing was decided before. */
  get stage(): StageGate | undefined {
    return this.present;
  }

  status(): DeploymentStatus {
    return toStatus(this.known);
  }

  apply(event: GateEvent): void {
    this.known = advance(this.known, event);
    this.view.publish();
  }

  showAttributes(): void {
    this.view.showAttributes();
  }

  /** Begins a stage, or takes it up again, under the defaults in force now. */
  async begin(stage: GatedStage): Promise<StageGate> {
    this.apply({ type: 'stage-entered', stage: stage.name });
    const defaults = await readDefaults();
    this.present = new StageGate(this, stage, compileBehaviour(defaults.stages, stage), defaults.activities);
    await this.continueAsNewIfLong();
    return this.present;
  }

  /** Sets the final state; an open pause is resolved and recorded first. */
  async end(state: 'done' | 'denied' | 'aborted' | 'failed', reason?: string): Promise<void> {
    if (this.known.pause) await this.present?.resolvePause(`deployment ${state}`);
    this.apply({ type: 'ended', state, reason });
    this.showAttributes();
  }

  /** Before the workflow closes: every caller has an answer, and every message is sent. */
  async settle(): Promise<void> {
    this.inbox.close(summarise(this.status()));
    await this.alerts.flush();
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  }

  async continueAsNewIfLong(): Promise<void> {
    if (!this.options.continueAsNew || !shouldContinueAsNew(workflowInfo(), this.options.historyLimit)) return;
    await this.alerts.flush();
    await condition(allHandlersFinished);
    // A call may have come in during these waits: it is carried out first.
    if (!this.inbox.isEmpty || !allHandlersFinished() || !this.alerts.isIdle) return;
    const { handled, notes } = this.inbox;
    const shownAttributes = this.view.carried();
    await this.options.continueAsNew({
      version: CARRIED_VERSION,
      handled,
      notes,
      ...carriedProgress(this.known),
      shownAttributes,
    });
  }
}

function searchAttributes({ stage, lastDecision, pause }: DeploymentStatus): ShownAttribute[] {
  return [
    { key: DEPLOYMENT_STAGE, value: stage },
    { key: DECISION_OUTCOME, value: lastDecision?.decision.outcome ?? null },
    { key: POLICY_REVISION, value: lastDecision?.release?.policySha ?? null },
    { key: PAUSE_REASON, value: pause?.reason ?? null },
  ];
}
