import { workflowInfo } from '@temporalio/workflow';
import type { GateDefaults } from '../../activities/gate-activities';
import { DEFAULT_ALERT_RULES, isTold, type AlertRules } from '../../alerts/alert-rules';
import type { Alert } from '../../alerts/alert';
import type { Incident, IncidentMessage, IncidentTimes } from '../../alerts/incident';
import {
  endAlert,
  endEventOf,
  firingAlert,
  incidentLabels,
  resolvedAlert,
} from '../../gate/deployments/deployment-alerts';
import {
  isFinal,
  type DeploymentStatus,
  type Pause,
  type StageProgress,
} from '../../gate/deployments/deployment-state';
import { summarise } from '../../gate/deployments/explain';
import { holdAsPause, isHeld } from '../../gate/deployments/hold';
import type { GateProgress } from '../../gate/deployments/gate-progress';
import type { PauseTeller } from '../parts/pauses';
import { Incidents } from '../parts/incidents';
import { remoteActivities } from './activity-proxies';

/** What of its gate an incident needs. */
export interface GateIncidentWords {
  status(): DeploymentStatus;
  progress(): GateProgress;
  put(incident: Incident | undefined): void;
  /** the defaults in force and what follows from them for the present stage; absent before the first stage began */
  inForce(): { defaults: GateDefaults; times: IncidentTimes } | undefined;
  /** whether it is about one stage of several that are open: what all share is told elsewhere */
  isBranch: boolean;
  /** sends a message beside the main line */
  send(deliver: () => Promise<unknown>, alert: Alert): void;
}

/**
 * Tells people of a deployment: of its trouble by one incident a stage, however often it comes and goes, and of its end. It
 * follows the deployment's state, so that nothing that pauses it has to think of alerts.
 *
 * Runs of an earlier release go on as they did, with an alert for each pause: the defaults that they were given do not say
 * what people are told of.
 */
export class GateIncidents {
  private readonly incidents: Incidents;
  private rules?: AlertRules;

  /** @param toldBefore the pause that an earlier release has alerted of, by its id */
  constructor(
    private readonly words: GateIncidentWords,
    private toldBefore?: string,
  ) {
    this.incidents = new Incidents({
      present: () => words.progress().incident,
      put: (incident) => words.put(incident),
      times: () => words.inForce()?.times ?? NEVER,
      send: (incident, message) => this.tell(incident, message),
    });
  }

  /** Absent in runs whose pauses send messages of their own. */
  get teller(): PauseTeller | undefined {
    return this.rules === undefined ? undefined : this.incidents;
  }

  /** To be called when the defaults are known: what was carried over is taken up, and the timer with it. */
  takeUp(): void {
    const progress = this.words.progress();
    this.follow(progress, progress);
    if (this.rules !== undefined) this.incidents.watch();
  }

  /** To be called after each change of the gate's progress. */
  follow(before: GateProgress, now: GateProgress): void {
    const inForce = this.words.inForce();
    if (inForce === undefined) return;
    const trouble = this.troubleOf(now);
    const earlier = this.troubleOf(before);
    const hasEnded = isFinal(now.state) && !isFinal(before.state);
    const end = hasEnded && !this.words.isBranch ? endEventOf(now.state) : undefined;
    // A worker of an earlier release may have answered last: what is open is followed to its end.
    this.rules = inForce.defaults.alerts ?? this.rules ?? (now.incident && DEFAULT_ALERT_RULES);
    const { rules } = this;
    if (rules === undefined) {
      this.toldBefore = trouble?.id;
      return;
    }
    if (now.incident === undefined && earlier !== undefined && earlier.id === this.toldBefore)
      this.adopt(earlier, before, rules);
    // An outage can hold up the record of the end, after the last stage has passed: that is trouble of its own.
    const hasPassed = isDone(now) && (trouble === undefined || !isDone(before));
    if (isFinal(now.state) || hasPassed || this.isOfAnotherStage(stageOf(now)?.name)) {
      this.incidents.note({ type: 'over' });
    }
    if (!isFinal(now.state) && trouble !== undefined) this.noteTrouble(trouble, now, rules);
    else this.incidents.note({ type: isReleased(before, now) ? 'over' : 'healthy' });
    if (end !== undefined) this.tellEnd(end, rules);
  }

  /** What people are told of: a pause on demand, then an outage of the store of records, then the stage's own pause. */
  private troubleOf(progress: GateProgress): Pause | undefined {
    const { hold, auditOutage, pause } = progress;
    return hold && !this.words.isBranch && isHeld(progress) ? holdAsPause(hold) : (auditOutage ?? pause);
  }

  private isOfAnotherStage(stage: string | undefined): boolean {
    const { incident } = this.words.progress();
    return incident !== undefined && incident.labels.stage !== stage;
  }

  private noteTrouble(trouble: Pause, progress: GateProgress, rules: AlertRules): void {
    const isOpen = this.words.progress().incident !== undefined;
    if (!isOpen && !isTold(rules, 'paused')) return;
    this.incidents.note({ type: 'trouble', id: trouble.id, labels: this.labels(progress, rules) });
  }

  /** A pause that was alerted of by itself: its alert continues as an incident, under its fingerprint. */
  private adopt(pause: Pause, progress: GateProgress, rules: AlertRules): void {
    const { id, startedAtMs, remindersSent, nextReminderAtMs } = pause;
    const told = { startedAtMs, remindersSent, nextReminderAtMs };
    this.toldBefore = undefined;
    if (!isTold(rules, 'paused')) return;
    this.incidents.note({ type: 'trouble', id, labels: this.labels(progress, rules), told });
  }

  private labels(progress: GateProgress, rules: AlertRules): Incident['labels'] {
    const { deploymentId } = progress;
    return incidentLabels({ deploymentId, stage: stageOf(progress)?.name ?? '' }, rules.labels);
  }

  private tell(incident: Incident, message: IncidentMessage): void {
    const status = this.words.status();
    const pause = this.troubleOf(this.words.progress());
    if (message.status === 'resolved') this.send(resolvedAlert(incident, message, status, summarise(status)));
    else if (pause) this.send(firingAlert(incident, message, status, pause));
  }

  private tellEnd(event: NonNullable<ReturnType<typeof endEventOf>>, rules: AlertRules): void {
    const status = this.words.status();
    const { deploymentId, stage, stages } = status;
    const details = stages.map(({ name, state }) => `Stage ${name}: ${state}`);
    const { runId } = workflowInfo();
    const alert = endAlert(
      { event, deploymentId, stage, runId, atMs: Date.now(), summary: summarise(status), details },
      rules,
    );
    if (alert) this.send(alert);
  }

  private send(alert: Alert): void {
    const { defaults } = this.words.inForce()!;
    const summary = `${alert.status}: ${alert.name}${alert.reminder > 0 ? ` (reminder ${alert.reminder})` : ''}`;
    this.words.send(() => remoteActivities(defaults.activities, 'alert', summary).sendAlert(alert), alert);
  }
}

const NEVER: IncidentTimes = { remindAfterMs: Infinity, remindAtMostMs: Infinity, resolveAfterMs: Infinity };

function stageOf({ stages, stageIndex }: GateProgress): StageProgress | undefined {
  return stages[Math.max(0, stageIndex)];
}

function isDone(progress: GateProgress): boolean {
  return stageOf(progress)?.state === 'done';
}

/** Whether the pause on demand that the incident is about has ended: it cannot come back by itself, as other trouble can. */
function isReleased(before: GateProgress, now: GateProgress): boolean {
  return isHeld(before) && !isHeld(now) && now.incident?.id === before.hold?.id;
}
