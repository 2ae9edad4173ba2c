import { ImageErrorCode, type ImageFault } from '../image-error';
import { IMAGE_POLICY_LIMITS } from '../limits';
import { DEFAULT_MAX_DELETES } from '../policies/compile-policy';
import type { ImagePolicy, ReplicateTarget } from '../policies/image-policy';
import type { ReplicateAction } from '../policies/policy-document';
import { isReferrersTag } from '../registries/referrers-tag';
import type { PrunePlan, SurplusTag, UnprunedTarget } from '../progress/prune-report';
import type { SyncError } from '../progress/sync-report';
import { candidatesOf, errorOf, listRepositoryTags, listSourceRepositories } from './list-candidates';
import { referrersOfSurplus, type SurplusImage } from './surplus-referrers';
import { namedTargets } from './named-targets';
import { hostOf, type SyncContext } from './sync-context';

/** A replicate action that prunes. */
interface Rule {
  policy: ImagePolicy;
  action: ReplicateAction;
  target: ReplicateTarget;
}

/** Whether any policy of a sync prunes. */
export function prunes({ set }: Pick<SyncContext, 'set'>): boolean {
  return rulesOf(set.policies).length > 0;
}

/**
 * Which tags of the targets no image of the sources goes to, by the names of the sources and `latest`. An image that a condition
 * or a block keeps from being copied still counts: what was copied of it before stays. Tags of referrers go with their image
 * alone; backups stay always. Unless every source could be listed, no tag is surplus.
 *
 * @throws nothing for what a registry does
 */
export async function planPrune(context: SyncContext): Promise<PrunePlan> {
  const rules = rulesOf(context.set.policies);
  if (rules.length === 0) return { surplus: [], left: [] };
  const left: UnprunedTarget[] = [];
  const leave = ({ policy: { id: policyId } }: Rule, target: string, error: ImageFault) =>
    void left.push({ target, policyId, error: { ...error, policyId } });
  const sources = await listSources(context);
  const [failure] = sources.errors;
  if (failure !== undefined) {
    const cause = `nothing is pruned, as ${failure.source} could not be listed completely: ${failure.cause}`;
    for (const rule of rules) leave(rule, templateOf(rule), { code: failure.code, cause });
    return { surplus: [], left };
  }
  const surplus: SurplusTag[] = [];
  const seen = new Set<string>();
  for (const rule of rules) {
    const own: SurplusTag[] = [];
    const host = hostOf(context, rule.target.registry);
    for (const repository of targetsOf(context, rule, sources.repositories)) {
      const name = `${host}/${repository}`;
      if (seen.has(name)) continue;
      seen.add(name);
      try {
        const found = await surplusOf(context, rule, host, repository, sources);
        const why = found.length === 0 ? undefined : whyLeft(name, host, sources);
        if (why === undefined) own.push(...found);
        else leave(rule, name, { code: ImageErrorCode.ACTION_EXEC_ERROR, cause: why });
      } catch (error) {
        const { code, cause } = errorOf(error, name);
        leave(rule, name, { code, cause: `its tags could not be listed: ${cause}` });
      }
    }
    const most = rule.action.maxDeletes ?? DEFAULT_MAX_DELETES;
    const inAll = surplus.length + own.length;
    const images = own.filter((one) => one.images === undefined).length;
    if (images <= most && inAll <= IMAGE_POLICY_LIMITS.deletes) surplus.push(...own);
    else {
      const limit =
        images > most
          ? `maxDeletes is ${most}`
          : `one sync deletes at most ${IMAGE_POLICY_LIMITS.deletes} with signatures`;
      const cause = `nothing is pruned: ${images > most ? images : inAll} tags would be deleted, and ${limit}`;
      leave(rule, templateOf(rule), { code: ImageErrorCode.ACTION_EXEC_ERROR, cause });
    }
  }
  return { surplus, left };
}

function rulesOf(policies: readonly ImagePolicy[]): Rule[] {
  return policies
    .filter(({ enabled }) => enabled)
    .flatMap((policy) =>
      policy.actions.flatMap((action): Rule[] => {
        if (!('target' in action)) return [];
        const { document, target } = action;
        const isPruning = document.prune === 'mirror' || document.prune === 'dry-run';
        return isPruning ? [{ policy, action: document, target }] : [];
      }),
    );
}

const templateOf = ({ action }: Rule): string => `${action.target_registry}/${action.target_repo}`;

interface Sources {
  repositories: readonly { registry: string; repository: string; isEmpty: boolean }[];
  /** `registry/repository` of targets, with the tags that images go to */
  claims: ReadonlyMap<string, ReadonlySet<string>>;
  /** hosts with a target whose name is known only once an image is read, with that image */
  unnamed: ReadonlyMap<string, string>;
  /** targets of a repository without any tag, which is more likely to be out of sight than empty */
  empty: ReadonlyMap<string, string>;
  errors: readonly SyncError[];
}

/** All sources, also those of policies that do not replicate now: what is theirs is no other policy's to delete. */
async function listSources(context: SyncContext): Promise<Sources> {
  const all = context.all ?? context.set;
  const whole: SyncContext = {
    ...context,
    set: { ...all, policies: all.policies.map((policy) => ({ ...policy, enabled: true })) },
  };
  const errors: SyncError[] = [];
  const repositories: Sources['repositories'][number][] = [];
  const claims = new Map<string, Set<string>>();
  const [unnamed, empty] = [new Map<string, string>(), new Map<string, string>()];
  for (const place of await listSourceRepositories(whole, (error) => errors.push(error))) {
    const source = `${place.registry}/${place.repository}`;
    try {
      const listed = await listRepositoryTags(whole, place);
      const toCandidate = await candidatesOf(whole, place, listed, true);
      repositories.push({ ...place, isEmpty: listed.tags.length === 0 });
      for (const rule of rulesOf(whole.set.policies))
        if (listed.tags.length === 0)
          for (const name of targetsOf(whole, rule, [place]))
            empty.set(`${hostOf(whole, rule.target.registry)}/${name}`, source);
      for (const tag of listed.tags)
        for (const target of namedTargets(whole, toCandidate(tag))) {
          if (target === undefined) {
            for (const host of hostsOf(whole)) unnamed.set(host, `${source}:${tag}`);
            continue;
          }
          const colon = target.lastIndexOf(':');
          const [name, as] = [target.slice(0, colon), target.slice(colon + 1)];
          claims.set(name, (claims.get(name) ?? new Set()).add(as));
        }
    } catch (failure) {
      errors.push(errorOf(failure, source));
    }
  }
  return { repositories, claims, unnamed, empty, errors };
}

/** Registries that have a target whose name needs more than that of its source. */
function hostsOf(context: SyncContext): string[] {
  return context.set.policies.flatMap(({ actions }) =>
    actions.flatMap((action) =>
      'target' in action && [action.target.repository, action.target.tag].some((one) => needsMore(one?.fields ?? []))
        ? [hostOf(context, action.target.registry)]
        : [],
    ),
  );
}

const needsMore = (fields: readonly string[]): boolean =>
  fields.some((field) => field === 'digest' || field === 'architecture' || field.startsWith('label:'));

/** Repositories of a rule's targets, each once. */
function targetsOf(
  context: SyncContext,
  { policy, target }: Rule,
  places: readonly { registry: string; repository: string }[],
): string[] {
  const { source } = policy;
  if (source === undefined) return [];
  const names = places
    .filter(
      ({ registry, repository }) => hostOf(context, source.registry) === registry && source.fitsRepository(repository),
    )
    .flatMap(({ registry, repository }) => {
      const filled = target.repository.fill({ registry, repository, tag: null });
      return 'fault' in filled ? [] : [filled.name];
    });
  return [...new Set(names)];
}

/** Why no tag of a target is surplus, in one sentence; undefined if some may be. */
function whyLeft(name: string, host: string, { repositories, unnamed, empty }: Sources): string | undefined {
  if (repositories.some(({ registry, repository }) => `${registry}/${repository}` === name))
    return `${name} is not pruned, as it is a source too`;
  const bare = empty.get(name);
  if (bare !== undefined) return `${name} is not pruned, as its source ${bare} has no tags`;
  const image = unnamed.get(host);
  if (image !== undefined)
    return `${name} is not pruned, as the name of ${image} does not tell where in ${host} it goes`;
  return undefined;
}

async function surplusOf(
  context: SyncContext,
  { policy, action }: Rule,
  registry: string,
  repository: string,
  { claims }: Sources,
): Promise<SurplusTag[]> {
  const stays = claims.get(`${registry}/${repository}`) ?? new Set();
  const client = context.open(registry);
  const backups = (context.all ?? context.set).policies.flatMap(({ actions }) =>
    actions.flatMap((one) => ('target' in one && one.target.backupTag !== undefined ? [one.target.backupTag] : [])),
  );
  const found: SurplusImage[] = [];
  const tags: string[] = [];
  for await (const page of client.listTags(repository))
    for (const tag of page) {
      tags.push(tag);
      if (stays.has(tag) || isReferrersTag(tag) || backups.some((backup) => backup.couldGive(tag))) continue;
      const head = await client.headManifest(repository, tag);
      if (head === undefined) continue;
      const isDeleted = action.prune === 'mirror';
      found.push({ registry, repository, tag, ...head, policyId: policy.id, isDeleted });
    }
  found.sort((one, other) => (one.tag < other.tag ? -1 : 1));
  const referrers = await referrersOfSurplus({ registry: client, repository }, tags, found);
  return [...found.map(({ mediaType: _type, ...tag }) => tag), ...referrers];
}
