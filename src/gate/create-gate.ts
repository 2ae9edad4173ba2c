import type { GateRecord } from '../audit/audit-record';
import { loadSettings, type LoadedSettings, type PlainSettings } from '../settings/load-settings';
import type { Decision } from './decisions/decision';
import { decideNow } from './decide-target';
import { decisionRecord } from './decisions/to-audit-record';
import type { FactTarget } from './facts/fact';
import type { Snapshot } from './facts/snapshot';
import type { JsonObject } from '../kernel/json';
import { maskRecord } from './masking/mask-record';
import { createServices, type ServiceOptions, type Services } from './services';

/** What a decision is asked for; what is left out counts as empty. */
export interface GateTarget {
  /** `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`, as is the stage */
  deploymentId: string;
  stage: string;
  /** @default 0 */
  stageIndex?: number;
  /** of the deployment; @default empty */
  attributes?: JsonObject;
  /** of the stage; @default empty */
  stageAttributes?: JsonObject;
}

/** The gate without Temporal. */
export interface GateLibrary {
  /** facts collected now, under the release in force; @throws SnapshotError with every fault */
  snapshot(target: GateTarget): Promise<Snapshot>;
  /** a decision over a snapshot, under the release that it names; never throws for a policy's own fault */
  evaluate(snapshot: Snapshot): Promise<Decision>;
  /** durable when it resolves; @throws GateError AuditWriteFailed */
  record(snapshot: Snapshot, decision: Decision): Promise<GateRecord>;
  /** all three; facts that fail give a recorded decision of outcome `error` */
  decide(target: GateTarget): Promise<{ decision: Decision; record: GateRecord }>;
  /** ends uploads, gives waiting copies a last chance and closes the store */
  close(): Promise<void>;
}

/**
 * Opens a gate for a program of your own: no Temporal, no HTTP server.
 *
 * @param settings the path of a settings file, or plain settings, whose paths start from the working directory; or what
 *   `loadSettings` gave
 * @throws GateError ConfigInvalid, or PolicyUnavailable when no release can be loaded
 */
export async function createGate(
  settings?: string | PlainSettings | LoadedSettings,
  options: ServiceOptions = {},
): Promise<GateLibrary> {
  const loaded = await toLoaded(settings, options.env);
  const services = await createServices(loaded, options);
  try {
    services.releases.current();
  } catch (error) {
    await services.close();
    throw error;
  }
  return overServices(services);
}

export async function toLoaded(
  settings: string | PlainSettings | LoadedSettings | undefined,
  env: NodeJS.ProcessEnv = process.env,
): Promise<LoadedSettings> {
  return isLoaded(settings) ? settings : await loadSettings(settings, env, process.cwd());
}

function isLoaded(settings: string | PlainSettings | LoadedSettings | undefined): settings is LoadedSettings {
  return typeof settings === 'object' && settings !== null && 'settings' in settings && 'baseDir' in settings;
}

function overServices(services: Services): GateLibrary {
  const snapshot = (target: GateTarget): Promise<Snapshot> =>
    services.collect(services.releases.current(), toFactTarget(target));
  const evaluate = (taken: Snapshot): Promise<Decision> =>
    services.evaluate(services.releases.find(taken.release) ?? services.releases.current(), taken);
  const record = (taken: Snapshot, decision: Decision): Promise<GateRecord> =>
    services.audit.record(maskRecord(decisionRecord(taken, decision, {}), decision.mask));
  return {
    snapshot,
    evaluate,
    record,
    decide: (target) => decideNow(services, toFactTarget(target)),
    close: () => services.close(),
  };
}

function toFactTarget({
  deploymentId,
  stage,
  stageIndex = 0,
  attributes = {},
  stageAttributes = {},
}: GateTarget): FactTarget {
  return { deploymentId, stage, stageIndex, attributes, stageAttributes };
}
