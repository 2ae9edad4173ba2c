import type { AlertReceiver } from '../alerts/alert';
import type { AuditStore } from '../audit/audit-record';
import type { ImageConditionType } from '../images/conditions/condition-type';
import type { PolicyEvaluator } from '../rego/evaluation/evaluate-policy';
import type { ReleaseSource } from '../releases/sources/release-source';
import type { ActionModule } from './actions/action-kind';
import type { RegisteredProvider } from './facts/registry';

/**
 * Parts of a program's own, by the ports that the gate's own parts keep to; `planning-engine/contracts` has a suite of tests
 * for each. The gate closes none of them: who opened a part closes it, once the gate is closed.
 */
export interface GatePorts {
  /** facts of the caller's own, beside those that the release configures */
  providers?: readonly RegisteredProvider[];
  /**
   * the store of record, in place of `audit.store`. `gate audit` and `gate replay` read the store of the settings, so they do
   * not see it.
   */
  auditStore?: AuditStore;
  /** where releases come from, in place of `release.manifest`; `releasesFromObjects` makes one of anything that holds objects */
  releaseSource?: ReleaseSource;
  /** what evaluates policies, in place of the gate's own threads: releases are tried with it, masks and decisions come of it */
  evaluator?: PolicyEvaluator;
  /** receivers of alerts, beside `alerts.receivers` */
  alertReceivers?: readonly AlertReceiver[];
  /** actions by name, beside `actions.modules`: a deployment file says `{type: module, name: NAME}` */
  actions?: Readonly<Record<string, ActionModule>>;
  /** condition types of image policies by name, beside `policy.conditionTypes` */
  conditionTypes?: Readonly<Record<string, ImageConditionType>>;
}
