import { performance } from 'node:perf_hooks';
import { BoundedMap } from '../../kernel/bounded-map';
import { parseDuration } from '../../kernel/duration';
import { FailureType, faultsToError, GateError, type Fault } from '../../kernel/failures';
import { faultAt } from '../../platform/documents/validate';
import type { LoadedSettings } from '../../settings/load-settings';
import type { ImageConditionTypes } from '../conditions/condition-type';
import type { ImageMetrics } from '../image-metrics';
import type { ImagePolicy, ImagePolicySet } from '../policies/image-policy';
import { readMappingEntry, type MappingEntry } from '../policies/mapping';
import { nameRegistries, type NamedRegistries } from '../registries/named-registries';
import { openRegistries } from '../registries/open-registries';
import { sourcesOf } from '../sync/list-candidates';
import type { SyncContext } from '../sync/sync-context';
import { hostsOfSettings } from './registries-of-settings';
import { createHttpFetch } from '../../platform/http/http-client';
import { createImageHooks, type ImageHooks } from '../hooks/image-hooks';
import { readPolicyText } from './policy-secrets';
import { policyPlaces } from './policy-places';
import { checkCaFiles, registryAccess } from './registry-access';
import { createPolicyFolder, revisionOf, type PolicyFolder } from './policy-folder';

/** What a sync works with, and which policies it is for. */
export interface ImageSyncContext extends SyncContext {
  /** SHA-256 of what the policies say */
  revision: string;
}

export interface Images {
  /** images at once */
  concurrency: number;
  /**
   * With the policies and registries of this moment.
   *
   * @param only ids of policies that replicate; those that block always apply @default all
   * @throws GateError ConfigInvalid for policies with faults, an id that does not exist, a CA file that cannot be read, and where
   * nothing says where images come from
   */
  context(only?: readonly string[]): Promise<ImageSyncContext>;
  /** as `context`, also where nothing says where images come from */
  inForce(only?: readonly string[]): Promise<ImageSyncContext>;
  /** those that the settings name, with their limits, and all others */
  registries: NamedRegistries;
  /** @throws GateError ConfigInvalid if no good policies were ever loaded */
  policies(): Promise<ImagePolicySet>;
  /** webhooks around copies, with the secrets of the settings */
  hooks: ImageHooks;
  close(): Promise<void>;
}

export interface OpenImagesOptions {
  env: Readonly<Record<string, string | undefined>>;
  /** a file or folder in place of the settings' own policies */
  policies?: string;
  /** called once for each change of the policies that is refused while the earlier ones stay */
  onRefused?(error: unknown): void;
  /** nothing is reported where `policy.metricsEnabled` is false @default none */
  metrics?(): ImageMetrics;
  /** those that `openConditionTypes` gave @default none */
  conditionTypes?: ImageConditionTypes | undefined;
}

const NONE: ImagePolicySet = { policies: [], byId: new Map(), places: new Map() };

/**
 * The policies, registries and mapping of the settings. Opening reads no policy and asks no registry.
 *
 * @throws GateError ConfigInvalid for the mapping, and for policies that are enabled and nowhere
 */
export function openImages(loaded: LoadedSettings, options: OpenImagesOptions): Images {
  const { settings } = loaded;
  const { policy } = settings;
  const faults: Fault[] = [];
  const fault = (pointer: string, sentence: string): void =>
    void faults.push(faultAt(loaded.place ?? { file: 'the settings' }, pointer, sentence));
  const hosts = hostsOfSettings(loaded);
  const mapping = Object.entries(settings.mapping).flatMap(([source, target]): MappingEntry[] => {
    const entry = readMappingEntry(source, target, hosts);
    if (typeof entry !== 'string') return [entry];
    fault('/mapping', `mapping: ${entry}`);
    return [];
  });
  const access = registryAccess(loaded, fault);
  const { path, more } = policyPlaces(loaded, options.policies);
  const isEnabled = policy.enabled || options.policies !== undefined;
  if (isEnabled && path === undefined && more.length === 0)
    fault(
      '/policy',
      'expected policy.configPath, a file or folder of policies, or policy.policies, because policy.enabled is true',
    );
  if (faults.length > 0) throw faultsToError(faults);

  const metrics = policy.metricsEnabled ? options.metrics?.bind(options) : undefined;
  const registries = openRegistries({
    onCircuit: (host, isOpen) => metrics?.().circuit(host, isOpen),
    env: options.env,
    access,
  });
  const known = {
    ...(hosts.size === 0 ? {} : { registries: [...hosts.keys()], hosts }),
    secrets: Object.keys(policy.secrets),
    decrypts: settings.secrets.identityFile !== undefined,
    ownTypes: new Set(options.conditionTypes?.keys()),
  };
  const folder: PolicyFolder = isEnabled
    ? createPolicyFolder({
        ...{ path, more, surroundings: known, onRefused: options.onRefused ?? (() => undefined) },
        onLoaded: ({ set }) => metrics?.().inForce(set.policies.filter(({ enabled }) => enabled).map(({ id }) => id)),
      })
    : { current: () => Promise.resolve({ set: NONE, revision: revisionOf(NONE) }) };
  const cache: SyncContext['cache'] = new BoundedMap(policy.cacheSize);
  const decide = {
    onEvaluationError: policy.onEvaluationError,
    timeoutMs: parseDuration(policy.evaluationTimeout),
    mapping,
    registries: hosts,
  };
  async function inForce(only?: readonly string[]): Promise<ImageSyncContext> {
    await checkCaFiles(loaded);
    const { set: all, revision } = await folder.current();
    return {
      ...{ set: chosen(all, only), all, revision, decide, cache },
      ...(metrics === undefined ? {} : { metrics: metrics() }),
      ...(options.conditionTypes === undefined ? {} : { conditionTypes: options.conditionTypes }),
      open: (host) => registries.open(host),
      nowMs: Date.now,
      clockNs: () => Math.round(performance.now() * 1e6),
    };
  }
  const hooks = createImageHooks({
    fetch: createHttpFetch({ env: options.env, folder: loaded.baseDir }),
    readText: (text) => readPolicyText(loaded, options.env, text),
  });
  return {
    concurrency: policy.maxConcurrency,
    hooks,
    inForce,
    registries: nameRegistries(hosts, (host) => registries.open(host)),
    async context(only) {
      const context = await inForce(only);
      if (sourcesOf(context).length > 0) return context;
      const message =
        'Expected a policy that replicates and has a source, or a mapping, got neither: nothing says where images come from';
      throw new GateError(FailureType.ConfigInvalid, message);
    },
    policies: async () => (await folder.current()).set,
    close: () => registries.close(),
  };
}

function chosen(set: ImagePolicySet, only: readonly string[] | undefined): ImagePolicySet {
  if (only === undefined) return set;
  const unknown = only.filter((id) => !set.byId.has(id));
  if (unknown.length > 0) {
    const message = `POLICY_NOT_FOUND: no policy has the id ${unknown.join(', ')}`;
    throw new GateError(FailureType.ConfigInvalid, message);
  }
  return { ...set, policies: set.policies.filter((policy) => only.includes(policy.id) || blocks(policy)) };
}

function blocks({ actions }: ImagePolicy): boolean {
  return actions.some(({ document }) => document.type === 'block');
}
