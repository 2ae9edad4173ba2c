import { HeldSet } from '../threads/held-set';
import type { AuditLog } from '../../audit/audit-log';
import type { ExecutedPolicy } from '../execution/execution';
import { hasEnded } from '../execution/progress';
import { createAuditJournal } from '../execution/audit-journal';
import { RULES_ACTOR } from '../execution/execution-record';
import type { PinnedPolicies, PolicySource } from '../execution/policy-source';
import type { BeginReport, EndReport, ExecutionJournal, StepReport } from '../execution/report';
import type { RuleDomain } from '../domain';
import type { PolicyStore } from '../store/policy-store';
import { createRecordDelivery } from '../../audit/service/deliver-records';
import { createExecutions } from './executions';
import { createPolicyDocuments } from './policy-documents';
import type { RuleLogger } from './rule-parts';

export interface StoredExecutionParts {
  store: PolicyStore;
  log: AuditLog;
  domain: RuleDomain;
  logger: RuleLogger;
  /** epoch milliseconds */
  now(): number;
}

/** The policies of the store, read again only when one of them has changed. */
export function policiesOfStore({ store, domain }: Pick<StoredExecutionParts, 'store' | 'domain'>): PolicySource {
  const documents = createPolicyDocuments(store);
  const held = new HeldSet(domain);
  let pinned: PinnedPolicies | undefined;
  return {
    async current() {
      const set = await documents.current();
      if (pinned === undefined || held.key !== set.key) {
        held.apply(set.since(held.key));
        const { policies } = held.policies();
        const pins = held.pins(policies).map((pin): [string, ExecutedPolicy] => [pin.name, pin]);
        pinned = { policies, setRevision: held.key, pins: new Map(pins) };
      }
      return pinned;
    },
  };
}

/**
 * Executions in the store of policies, with a record of each report in the audit log. One that no policy acts in is in the
 * audit log alone: it belongs to none. A policy that changed after the evaluation does not stop it: what it acts for is pinned.
 */
export function createStoreJournal(parts: StoredExecutionParts): ExecutionJournal {
  const { store, log, logger, now } = parts;
  const delivery = createRecordDelivery({ store, log, logger, about: 'rule policies' });
  const executions = createExecutions({ store, delivery, now });
  const audit = createAuditJournal((record) => log.record(record), now);
  const caller = { actor: RULES_ACTOR };

  async function begin({ id, plan, question, actor, reason, workflowId }: BeginReport): Promise<void> {
    const [first, ...others] = plan.policies;
    const { operation } = question;
    const { stateDigest, stateVersion, setRevision } = plan;
    await executions.begin(
      { actor },
      {
        id,
        policies: [first!, ...others],
        ...(operation === undefined ? {} : { operation }),
        stateDigest,
        ...(stateVersion === undefined ? {} : { stateVersion }),
        setRevision,
        steps: plan.steps.map(({ kind, policies, settings }) => ({ action: kind, policies, settings })),
        workflowId,
        reason,
      },
    );
  }

  async function step({ id, index, status, details }: StepReport): Promise<void> {
    await executions.advance(caller, { id, step: index, status, ...(details === undefined ? {} : { details }) });
  }

  async function end({ id, state, details }: EndReport): Promise<void> {
    if (!hasEnded(state)) return;
    await executions.end(caller, { id, status: state, ...(details === undefined ? {} : { result: details }) });
  }

  return {
    async write(report) {
      switch (report.report) {
        case 'begin':
          return report.plan.policies.length === 0 ? audit.write(report) : begin(report);
        case 'step':
          return step(report);
        case 'end':
          return (await store.execution(report.id)) === undefined ? audit.write(report) : end(report);
        case 'record':
          return audit.write(report);
        default:
          return report satisfies never;
      }
    },
  };
}

/**
 * Policies and journal of a store that is opened when it is first asked: a worker that executes no rules needs no tables of
 * theirs.
 */
export function openedLate(
  open: () => Promise<PolicyStore>,
  parts: Omit<StoredExecutionParts, 'store'>,
): { policies: PolicySource; journal: ExecutionJournal } {
  let opening: Promise<{ policies: PolicySource; journal: ExecutionJournal }> | undefined;
  const opened = () => {
    opening ??= open().then((store) => ({
      policies: policiesOfStore({ ...parts, store }),
      journal: createStoreJournal({ ...parts, store }),
    }));
    // One that failed is tried again by the next call.
    opening.catch(() => (opening = undefined));
    return opening;
  };
  return {
    policies: { current: async () => (await opened()).policies.current() },
    journal: { write: async (report) => (await opened()).journal.write(report) },
  };
}
