import { Context, log } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { isGateRecord } from '../audit/place';
import { closedRecord, closedStatus, openPause, remainingStatus, type ClosedRun } from '../gate/deployments/closed-run';
import { closingAlerts } from '../gate/deployments/closing-alerts';
import type { DeploymentSpec } from '../gate/deployments/deployment-spec';
import type { DeploymentStatus } from '../gate/deployments/deployment-state';
import type { Services } from '../gate/services';
import { FailureType } from '../kernel/failures';
import { describeIfKnown } from '../platform/temporal/connection/describe-if-known';
import { readStartedInput } from '../platform/temporal/read-started-input';
import { readTermination, terminationText } from '../platform/temporal/termination';
import type { ClosedResult } from './sweep-activities';
import { translated } from './to-application-failure';

const ANSWER_WITHIN_MS = 10_000;
/** A receiver that is down holds up the record of the end for as many attempts. */
const ALERT_ATTEMPTS = 3;
const RECORDS = 1_000;

type Needs = Pick<Services, 'audit' | 'alerts' | 'alertRules' | 'store'>;

/**
 * Records how a run ended that was terminated or timed out, after `resolved` was sent for what is open. A run that has a
 * newer one has not ended its deployment: a reset workflow continues in another run.
 *
 * @throws ApplicationFailure AuditWriteFailed, AuditUnavailable, or what a receiver of alerts said at the first attempts
 */
export function recordClosed(services: Needs, run: ClosedRun): Promise<ClosedResult> {
  return translated(FailureType.AuditWriteFailed, async () => {
    const { client, info } = Context.current();
    const description = await describeIfKnown(client, run.workflowId);
    if (description !== undefined && description.runId !== run.runId) return 'has a newer run';
    if (await isRecorded(services, run)) return 'was recorded';

    const answered = await askClosed(client, run);
    const spec = answered || description === undefined ? undefined : await startedSpec(client, run);
    const known = answered ?? (await remains(services, run, spec));
    const status = closedStatus(known, run.end, await endReason(client, run));
    try {
      for (const alert of closingAlerts(status, run, services.alertRules)) await services.alerts.send(alert);
    } catch (error) {
      if (info.attempt < ALERT_ATTEMPTS) throw error;
      log.warn('the alert of a deployment that was ended in Temporal is not resolved at every receiver', { error });
    }
    await services.audit.record(closedRecord(run, status));
    return 'recorded';
  });
}

/** Whoever recorded the end may have known another stage, and so have given it another id. */
async function isRecorded({ store }: Needs, { deploymentId: deploymentID, runId }: ClosedRun): Promise<boolean> {
  const ends = (await store?.list({ deploymentID, kind: 'ended', limit: RECORDS })) ?? [];
  return ends.some((record) => record.runID === runId);
}

/** A worker knows from its history how far a closed workflow was; undefined where it cannot run that workflow. */
async function askClosed(client: Client, run: ClosedRun): Promise<DeploymentStatus | undefined> {
  const { workflowId, runId, deploymentId } = run;
  const handle = client.workflow.getHandle(workflowId, runId);
  const ask = () => handle.query<DeploymentStatus, [string]>('status', deploymentId);
  const status = await client.withDeadline(Date.now() + ANSWER_WITHIN_MS, ask).catch(() => undefined);
  return status?.deploymentId === deploymentId ? status : undefined;
}

async function startedSpec(client: Client, run: ClosedRun): Promise<DeploymentSpec | undefined> {
  const input = (await readStartedInput(client, run)) as { spec?: DeploymentSpec } | undefined;
  return input?.spec;
}

async function remains(
  { store }: Needs,
  { deploymentId, stage, end }: ClosedRun,
  spec: DeploymentSpec | undefined,
): Promise<DeploymentStatus> {
  const records = (await store?.list({ deploymentID: deploymentId, limit: RECORDS })) ?? [];
  const pause = openPause(records);
  const last = records.find(isGateRecord);
  const remaining = { deploymentId, state: end, stage: stage ?? last?.stage };
  return remainingStatus({ ...remaining, ...(spec ? { spec } : {}), ...(pause ? { pause } : {}) });
}

async function endReason(client: Client, run: ClosedRun): Promise<string> {
  if (run.end === 'timed-out') return 'the workflow timed out in Temporal';
  return terminationText(await readTermination(client, run));
}
