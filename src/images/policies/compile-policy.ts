import { parseDuration } from '../../kernel/duration';
import type { JsonObject, JsonValue } from '../../kernel/json';
import { parseTime } from '../../kernel/time';
import { triggerFaults } from '../../rules/document/trigger';
import { closeName } from '../../platform/documents/close-name';
import { compileConditions } from '../conditions/compile-conditions';
import { readConditions } from '../conditions/read-conditions';
import { canonicalRegistry, isRegistryHost, storedRepository } from '../image-reference';
import type { PointedFault } from '../pointed-fault';
import type { PublicKey } from '../signatures/public-key';
import { compileTagSet, type TagChooser } from './choose-tags';
import { hookFaults } from './hook-faults';
import { encryptedFaults, secretFaults } from './find-credentials';
import type { CompiledAction, ImagePolicy, PolicySource, ReplicateTarget } from './image-policy';
import type { ImageAction, ImagePolicyDocument, ReplicateAction, TagSetDocument } from './policy-document';
import { compileRepositoryPattern, type FitsRepository } from './repository-pattern';
import { readTargetTemplate, type TargetTemplate } from './target-template';

/** What policies may refer to. */
export interface PolicySurroundings {
  /** names of registries; every name is accepted by default */
  registries?: readonly string[];
  /** by those names @default each name is a host */
  hosts?: ReadonlyMap<string, string>;
  /** names of condition types of a program's own */
  ownTypes?: ReadonlySet<string>;
  /** names that `secret:NAME` of hooks may have; every name is accepted by default */
  secrets?: readonly string[];
  /** whether encrypted values can be decrypted @default true */
  decrypts?: boolean;
  /**
   * The public key of a file.
   *
   * @param policyFile the file of the policy that names it
   * @returns a sentence of what was expected if it cannot be used
   */
  readKey?(file: string, policyFile: string): PublicKey | string;
}

/** A policy whose shape is right, compiled; or every fault of what its parts say. */
export function compilePolicy(
  document: ImagePolicyDocument,
  { registries, hosts = new Map(), ownTypes = new Set(), secrets, decrypts = true, readKey }: PolicySurroundings,
  policyFile: string,
): { policy?: ImagePolicy; faults: readonly PointedFault[] } {
  const faults: PointedFault[] = [
    ...timeFaults(document),
    ...scheduleFaults(document),
    ...pruneFaults(document),
    ...hookFaults(document, secrets),
    ...encryptedFaults(document.hooks, '/hooks', decrypts),
    ...document.actions.flatMap((action, index) => retryFaults(action, `/actions/${index}/retry_policy`)),
    ...secretFaults((document.metadata ?? {}) as JsonObject, '/metadata'),
    ...document.actions.flatMap(({ parameters }, index) =>
      secretFaults((parameters ?? {}) as JsonObject, `/actions/${index}/parameters`),
    ),
  ];
  const { conditions, faults: shapes } = readConditions((document.conditions ?? []) as JsonValue, ownTypes);
  const compiled = compileConditions(conditions, ownTypes);
  const found = [...shapes, ...('faults' in compiled ? compiled.faults : [])];
  faults.push(...found.map(({ pointer, sentence }) => ({ pointer: `/conditions${pointer}`, sentence })));
  const checkRegistry = (name: string, pointer: string) => {
    const sentence = registryFault(name, registries);
    if (sentence !== undefined) faults.push({ pointer, sentence });
  };
  const source = document.source && compileSource(document.source, faults, checkRegistry, hosts);
  const key = document.signature && (readKey?.(document.signature.key.file, policyFile) ?? NO_KEYS);
  if (typeof key === 'string') faults.push({ pointer: '/signature/key/file', sentence: key });
  const actions = document.actions.map((action, index) =>
    compileAction(action, `/actions/${index}`, faults, checkRegistry),
  );
  if (faults.length > 0 || 'faults' in compiled || typeof key === 'string') return { faults };
  const { id, name, enabled, priority, metadata } = document;
  const policy: ImagePolicy = {
    id,
    name,
    enabled,
    priority,
    ...(source === undefined ? {} : { source }),
    ...(key === undefined || document.signature === undefined
      ? {}
      : { signature: { key, keyFile: document.signature.key.file, enforce: document.signature.enforce } }),
    conditions,
    compiled,
    actions: actions as CompiledAction[],
    metadata: (metadata ?? {}) as JsonObject,
    document,
  };
  return { policy, faults: [] };
}

const NO_KEYS = 'expected no signature: keys cannot be read here';

function registryFault(name: string, registries: readonly string[] | undefined): string | undefined {
  if (name.includes('@')) return 'expected a registry without a user and a password';
  if (!isRegistryHost(name)) return `expected a registry's name or host, got ${JSON.stringify(name)}`;
  const isHost = /[.:]/.test(name) || name === 'localhost';
  if (isHost || registries === undefined || registries.includes(name)) return undefined;
  const close = closeName(name, registries);
  const known = registries.length === 0 ? 'no registry has a name' : `known are ${registries.join(', ')}`;
  return `unknown registry ${name}; ${close === undefined ? known : `did you mean ${close}?`}`;
}

type CheckRegistry = (name: string, pointer: string) => void;

function compileSource(
  { registry: named, repositories: written, tags }: NonNullable<ImagePolicyDocument['source']>,
  faults: PointedFault[],
  checkRegistry: CheckRegistry,
  hosts: ReadonlyMap<string, string>,
): PolicySource {
  checkRegistry(named, '/source/registry');
  const registry = canonicalRegistry(named);
  const repositories = written.map((pattern) => storedRepository(hosts.get(registry) ?? registry, pattern));
  const patterns: FitsRepository[] = [];
  repositories.forEach((pattern, index) => {
    const compiled = compileRepositoryPattern(pattern);
    if (typeof compiled === 'string') faults.push({ pointer: `/source/repositories/${index}`, sentence: compiled });
    else patterns.push(compiled);
  });
  const isList = Array.isArray(tags);
  const sets: readonly TagSetDocument[] = tags === undefined ? [] : isList ? tags : [tags];
  const immutables: TagChooser[] = [];
  const choosers = sets.flatMap((set, index): TagChooser[] => {
    const pointer = isList ? `/source/tags/${index}` : '/source/tags';
    const { newerThan, immutable, latest, ...rest } = set;
    const compiled = compileTagSet({
      ...rest,
      ...(latest === undefined ? {} : { latest: { count: latest.count, by: latest.by ?? 'semver' } }),
      ...(newerThan === undefined ? {} : { newerThanMs: milliseconds(newerThan, `${pointer}/newerThan`, faults) }),
    });
    const unmoved = compileTagSet({ allow: immutable ?? [] });
    for (const one of [compiled, unmoved])
      if ('faults' in one) faults.push(...one.faults.map((sentence) => ({ pointer, sentence })));
    if (!('faults' in unmoved)) immutables.push(unmoved);
    return 'faults' in compiled ? [] : [compiled];
  });
  return {
    registry,
    repositories,
    fitsRepository: (name) => patterns.some((fits) => fits(name)),
    tags: choosers,
    isImmutable: (tag) => immutables.some((set) => set.byName([tag]).length > 0),
  };
}

function compileAction(
  action: ImageAction,
  pointer: string,
  faults: PointedFault[],
  checkRegistry: CheckRegistry,
): CompiledAction | undefined {
  if (action.type !== 'replicate') return { document: action };
  checkRegistry(action.target_registry, `${pointer}/target_registry`);
  const template = (key: keyof ReplicateAction, kind: 'repository' | 'tag'): TargetTemplate | undefined => {
    const text = action[key];
    if (typeof text !== 'string') return undefined;
    const read = readTargetTemplate(text, kind);
    if (typeof read !== 'string') return read;
    faults.push({ pointer: `${pointer}/${key}`, sentence: read });
    return undefined;
  };
  const repository = template('target_repo', 'repository');
  const [tag, backupTag] = [template('target_tag', 'tag'), template('backup_tag', 'tag')];
  if (repository === undefined) return undefined;
  if (action.prune === 'dry-run' || action.prune === 'mirror')
    for (const [key, template] of Object.entries({ target_repo: repository, target_tag: tag }))
      for (const field of template?.fields ?? [])
        if (!PRUNED_FIELDS[key as keyof typeof PRUNED_FIELDS].includes(field))
          faults.push({
            pointer: `${pointer}/${key}`,
            sentence: `expected no {${field}} with prune, ${WHY_NOT_PRUNED}`,
          });
  const target: ReplicateTarget = {
    registry: canonicalRegistry(action.target_registry),
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(backupTag === undefined ? {} : { backupTag }),
  };
  return { document: action, target };
}

/** What names of targets may be made of where tags are pruned. */
const PRUNED_FIELDS = {
  target_repo: ['registry', 'repository', 'repository.name'],
  target_tag: ['registry', 'repository', 'repository.name', 'tag'],
};
const WHY_NOT_PRUNED = 'as the names of the sources must tell which tags stay';

/** Tags that one sync deletes at most, where the policy does not say. */
export const DEFAULT_MAX_DELETES = 10;

function pruneFaults(document: ImagePolicyDocument): PointedFault[] {
  return document.actions.flatMap((action, index): PointedFault[] => {
    if (action.type !== 'replicate') return [];
    const prunes = action.prune === 'dry-run' || action.prune === 'mirror';
    const pointer = `/actions/${index}`;
    if (prunes && document.source === undefined)
      return [{ pointer: `${pointer}/prune`, sentence: 'expected a policy with a source, which tells what stays' }];
    if (prunes || action.maxDeletes === undefined) return [];
    return [{ pointer: `${pointer}/maxDeletes`, sentence: 'expected prune: dry-run or mirror beside it' }];
  });
}

function milliseconds(text: string, pointer: string, faults: PointedFault[]): number {
  try {
    return parseDuration(text);
  } catch (error) {
    faults.push({ pointer, sentence: (error as Error).message.replace(/^Expected/, 'expected') });
    return 0;
  }
}

function retryFaults(action: ImageAction, pointer: string): PointedFault[] {
  const faults: PointedFault[] = [];
  if (action.type !== 'replicate' || action.retry_policy === undefined) return faults;
  for (const key of ['initial', 'max'] as const) milliseconds(action.retry_policy[key], `${pointer}/${key}`, faults);
  return faults;
}

function scheduleFaults({ schedule, source, actions }: ImagePolicyDocument): PointedFault[] {
  if (schedule === undefined) return [];
  const replicates = source !== undefined && actions.some(({ type }) => type === 'replicate');
  const sentence = 'expected a policy with a source and a replicate action, as the schedule has nothing to do without';
  return [
    ...triggerFaults({ cron: schedule }).map((fault) => ({ pointer: '/schedule', sentence: fault.sentence })),
    ...(replicates ? [] : [{ pointer: '/schedule', sentence }]),
  ];
}

function timeFaults({ created_at, updated_at }: ImagePolicyDocument): PointedFault[] {
  return Object.entries({ created_at, updated_at })
    .filter(([, text]) => text !== undefined && parseTime(text) === undefined)
    .map(([key, text]) => ({
      pointer: `/${key}`,
      sentence: `expected an RFC 3339 time such as 2026-11-26T10:00:00Z, got ${JSON.stringify(text)}`,
    }));
}
