import type { Registry } from 'prom-client';
import { createLabelCap } from '../../platform/observability/label-cap';
import { metricsOn } from '../../platform/observability/metrics-on';
import { ImageErrorCode } from '../image-error';
import type { ImageMetrics } from '../image-metrics';

/** Distinct policies and registries that the metrics tell apart; further ones count as `other`. */
export const IMAGE_LABEL_LIMITS = { policy: 1_000, registry: 100 } as const;
/** The policy of an image that follows the mapping. */
const MAPPING = 'mapping';
const EVALUATION_BUCKETS = [0.000_001, 0.000_005, 0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.01, 0.1, 1, 5];

/** Declares the metrics of image policies and their syncs. */
export function createImageMetrics(registry: Registry): ImageMetrics {
  const { counter, gauge, histogram } = metricsOn(registry);
  const evaluations = counter(
    'freightliner_policy_evaluations_total',
    'Evaluations of one image policy for one image, by result',
    ['policy_id', 'result'],
  );
  const durations = histogram(
    'freightliner_policy_evaluation_duration_seconds',
    'Time that the evaluation of one image policy for one image took',
    EVALUATION_BUCKETS,
  );
  const matches = counter('freightliner_policy_matches_total', 'Images that an image policy matched', ['policy_id']);
  const executions = counter(
    'freightliner_policy_action_executions_total',
    'Actions of image policies that were carried out, by outcome',
    ['policy_id', 'action', 'outcome'],
  );
  const errors = counter('freightliner_policy_errors_total', 'Errors of image policies and their syncs, by code', [
    'type',
  ]);
  const degraded = counter(
    'freightliner_policy_degraded_total',
    'Images that followed the mapping because their policies could not be evaluated',
  );
  const bytes = counter('freightliner_copied_bytes_total', 'Bytes of blobs that were sent to registries');
  const blobs = counter('freightliner_blobs_total', 'Blobs of copied images: sent, or skipped as the target had them', [
    'outcome',
  ]);
  const circuits = gauge(
    'freightliner_registry_circuit_open',
    '1 while a registry that failed too often is left alone',
    ['registry'],
  );
  const behind = gauge(
    'freightliner_images_behind',
    'Images that a policy replicates and that a target lacks, as the last sync of it left them',
    ['policy_id'],
  );
  const policyLabel = createLabelCap(IMAGE_LABEL_LIMITS.policy);
  const registryLabel = createLabelCap(IMAGE_LABEL_LIMITS.registry);
  const shown = new Set<string>();
  // Series that begin at 1 would hide their first error from `increase`.
  for (const type of Object.values(ImageErrorCode)) errors.inc({ type }, 0);
  return {
    inForce(policyIds) {
      for (const id of policyIds) evaluations.inc({ policy_id: policyLabel(id), result: 'error' }, 0);
      // What a policy that is gone left behind no sync will ever bring.
      const kept = new Set(policyIds.map(policyLabel));
      for (const label of shown)
        if (!kept.has(label)) {
          behind.remove({ policy_id: label });
          shown.delete(label);
        }
    },
    decided({ results, errors: found, actions, metadata }) {
      for (const { policyId, matched, evaluationTime, error } of results) {
        const label = policyLabel(policyId);
        evaluations.inc({
          policy_id: label,
          result: error !== undefined ? 'error' : matched ? 'matched' : 'unmatched',
        });
        durations.observe(evaluationTime / 1e9);
        if (matched) matches.inc({ policy_id: label });
      }
      for (const { code } of found) errors.inc({ type: code });
      for (const { type, policyId } of actions)
        if (type === 'block') executions.inc({ policy_id: policyLabel(policyId), action: type, outcome: 'blocked' });
      if (metadata.degraded) degraded.inc();
    },
    did({ targets }) {
      for (const { policyId, outcome, bytes: sent, blobs: count, blobsSkipped, error } of targets) {
        executions.inc({ policy_id: policyLabel(policyId ?? MAPPING), action: 'replicate', outcome });
        bytes.inc(sent);
        blobs.inc({ outcome: 'sent' }, count);
        blobs.inc({ outcome: 'skipped' }, blobsSkipped);
        if (error !== undefined) errors.inc({ type: error.code });
      }
    },
    pruned({ policyId, outcome, error }) {
      executions.inc({ policy_id: policyLabel(policyId), action: 'prune', outcome });
      if (error !== undefined) errors.inc({ type: error.code });
    },
    failed: (code) => errors.inc({ type: code }),
    circuit: (name, isOpen) => circuits.set({ registry: registryLabel(name) }, isOpen ? 1 : 0),
    behind(policyId, images) {
      shown.add(policyLabel(policyId));
      behind.set({ policy_id: policyLabel(policyId) }, images);
    },
  };
}
