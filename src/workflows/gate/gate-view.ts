import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { SearchAttributePair } from '@temporalio/common';
import type { RecordedDecision } from '../../activities/gate-activities';
import { currentDetails } from '../../gate/deployments/current-details';
import {
  isFinal,
  type CarriedGate,
  type DeploymentStatus,
  type GateState,
  type Pause,
  type StageProgress,
} from '../../gate/deployments/deployment-state';
import { DECISION_OUTCOME, DEPLOYMENT_STAGE, PAUSE_REASON, POLICY_REVISION } from '../search-attributes';

/** What is known of one deployment, and how people see it: the status, Temporal's current details and search attributes. */
export class GateView {
  readonly stages: StageProgress[];
  stageIndex: number;
  pause?: Pause;
  /** the store of record is down: shown before any other pause */
  auditOutage?: Pause;
  lastDecision?: RecordedDecision;
  deniedSinceMs?: number;
  nextAskAtMs?: number;
  endReason?: string;
  notes: readonly string[] = [];
  private state: GateState = 'deciding';
  private readonly shown: Map<string, string | null>;

  constructor(
    readonly deploymentId: string,
    stages: readonly string[],
    carried: CarriedGate | undefined,
    private readonly withSearchAttributes: boolean,
  ) {
    this.stages = carried?.stages ?? stages.map((name) => ({ name, state: 'pending' }));
    this.stageIndex = carried?.stageIndex ?? -1;
    this.pause = carried?.pause;
    this.lastDecision = carried?.lastDecision;
    this.deniedSinceMs = carried?.deniedSinceMs;
    this.shown = new Map(carried?.shownAttributes);
    if (this.pause) this.state = 'paused';
    else if (this.deniedSinceMs !== undefined) this.state = 'waiting';
  }

  get stage(): string {
    return this.stages[Math.max(0, this.stageIndex)]?.name ?? '';
  }

  get progress(): StageProgress | undefined {
    return this.stages[this.stageIndex];
  }

  status(): DeploymentStatus {
    const pause = this.auditOutage ?? this.pause;
    return {
      deploymentId: this.deploymentId,
      state: isFinal(this.state) || pause === undefined ? this.state : 'paused',
      stage: this.stage,
      stageIndex: Math.max(0, this.stageIndex),
      stages: this.stages,
      ...(pause === undefined ? {} : { pause }),
      ...(this.lastDecision === undefined ? {} : { lastDecision: this.lastDecision }),
      ...(this.nextAskAtMs === undefined ? {} : { nextAskAtMs: this.nextAskAtMs }),
      ...(this.endReason === undefined ? {} : { endReason: this.endReason }),
    };
  }

  /** Makes `name` the present stage, adding it when it was not announced; true when it was another one before. */
  enter(name: string): boolean {
    const known = this.stages.findIndex((progress) => progress.name === name);
    const index = known >= 0 ? known : this.stages.push({ name, state: 'pending' }) - 1;
    const isNew = index !== this.stageIndex;
    if (isNew) this.finishStage();
    this.stageIndex = index;
    if (isNew) this.setState('deciding');
    return isNew;
  }

  setState(state: GateState): void {
    this.state = state;
    if (this.progress && this.progress.state !== 'done') this.progress.state = state;
    this.publish();
  }

  /** The present stage is over; between two stages the deployment counts as deciding. */
  finishStage(): void {
    if (this.progress) this.progress.state = 'done';
    if (!isFinal(this.state)) this.state = 'deciding';
  }

  /** Shows the state where people look without our tools; costs no history event. */
  publish(): void {
    setCurrentDetails(currentDetails(this.status(), this.notes));
  }

  /** Writes the search attributes that changed, in one upsert (one history event), or none. */
  showAttributes(): void {
    if (!this.withSearchAttributes) return;
    const { stage, pause, lastDecision } = this.status();
    const wanted = [
      { key: DEPLOYMENT_STAGE, value: stage },
      { key: DECISION_OUTCOME, value: lastDecision?.decision.outcome ?? null },
      { key: POLICY_REVISION, value: lastDecision?.release?.policySha ?? null },
      { key: PAUSE_REASON, value: pause?.reason ?? null },
    ];
    const changed = wanted.filter(({ key, value }) => (this.shown.get(key.name) ?? null) !== value);
    if (changed.length === 0) return;
    for (const { key, value } of changed) this.shown.set(key.name, value);
    upsertSearchAttributes(changed as SearchAttributePair[]);
  }

  carried(): Pick<
    CarriedGate,
    'stages' | 'stageIndex' | 'pause' | 'lastDecision' | 'deniedSinceMs' | 'shownAttributes'
  > {
    return {
      stages: this.stages,
      stageIndex: this.stageIndex,
      ...(this.pause === undefined ? {} : { pause: this.pause }),
      ...(this.lastDecision === undefined ? {} : { lastDecision: this.lastDecision }),
      ...(this.deniedSinceMs === undefined ? {} : { deniedSinceMs: this.deniedSinceMs }),
      shownAttributes: [...this.shown],
    };
  }
}
