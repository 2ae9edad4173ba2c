import { Option, type Command } from 'commander';
import type { ImageConditionTypes } from '../../images/conditions/condition-type';
import type { DecideOptions, OnEvaluationError } from '../../images/decision/decide-image';
import type { ImagePolicySet } from '../../images/policies/image-policy';
import type { MappingEntry } from '../../images/policies/mapping';
import { closeName } from '../../platform/documents/close-name';
import { notFound } from '../exit';
import type { CommandIo } from '../io';
import { collect, durationOption, keyValues } from '../options';
import { usageFaults } from '../repeated-options';

/** What the commands about image policies share. */
export interface ImagePolicyOptions {
  policies: string;
  policy?: string[];
  registry?: string[];
  map?: string[];
  conditionType?: string[];
  onEvaluationError: OnEvaluationError;
  evaluationTimeout: number;
}

export function withImagePolicies(command: Command): Command {
  return command
    .requiredOption('--policies <path>', 'file or folder of image policies')
    .option('--policy <id>', 'only this policy; may be given several times', collect)
    .option('--registry <name=host>', 'the host of a registry that policies name; may be given several times', collect)
    .option(
      '--map <source=target>',
      'where images go that no policy replicates, such as docker.example/team/*=mirror.example/{repository}; may be given several times',
      collect,
    )
    .option(
      '--condition-type <name=module>',
      'a condition type of your own, from a module as of the setting policy.conditionTypes; may be given several times',
      collect,
    )
    .addOption(
      new Option('--on-evaluation-error <what>', 'what happens to an image whose policies cannot be evaluated')
        .choices(['block', 'default'])
        .default('block'),
    )
    .addOption(durationOption('--evaluation-timeout <duration>', 'for all policies of one image', '5s'));
}

/**
 * @throws CliExit 2 for invalid options, GateError ConfigInvalid for policies
 */
export async function openImagePolicies(
  { cwd }: Pick<CommandIo, 'cwd'>,
  options: ImagePolicyOptions,
): Promise<{
  set: ImagePolicySet;
  decide: Omit<DecideOptions, 'nowMs' | 'clockNs'>;
  conditionTypes: ImageConditionTypes;
}> {
  const [{ loadImagePolicies }, { openConditionTypes }, { readMappingEntry }, { canonicalRegistry }, { resolve }] =
    await Promise.all([
      import('../../images/sources/load-image-policies.js'),
      import('../../images/service/open-condition-types.js'),
      import('../../images/policies/mapping.js'),
      import('../../images/image-reference.js'),
      import('node:path'),
    ]);
  const registries = new Map(
    Object.entries(keyValues('--registry', options.registry ?? [])).map(([name, host]) => [
      name,
      canonicalRegistry(String(host)),
    ]),
  );
  const faults: string[] = [];
  const mapping = (options.map ?? []).flatMap((text): MappingEntry[] => {
    const [source = '', target = ''] = text.split('=');
    const entry = readMappingEntry(source, target, registries);
    if (typeof entry !== 'string') return [entry];
    faults.push(`--map: ${entry}`);
    return [];
  });
  if (faults.length > 0) throw usageFaults(faults);
  const modules = Object.entries(keyValues('--condition-type', options.conditionType ?? []));
  const conditionTypes = await openConditionTypes({
    modules: Object.fromEntries(modules.map(([name, module]) => [name, { module: String(module) }])),
    folder: cwd,
    placeOf: (name) => `--condition-type ${name}`,
  });
  const known = {
    ...(registries.size === 0 ? {} : { registries: [...registries.keys()], hosts: registries }),
    ownTypes: new Set(conditionTypes.keys()),
  };
  const all = await loadImagePolicies(resolve(cwd, options.policies), known);
  const set = options.policy === undefined ? all : only(all, options.policy, options.policies);
  const { onEvaluationError, evaluationTimeout: timeoutMs } = options;
  return { set, decide: { onEvaluationError, timeoutMs, mapping, registries }, conditionTypes };
}

function only(set: ImagePolicySet, ids: readonly string[], where: string): ImagePolicySet {
  for (const id of ids) {
    if (set.byId.has(id)) continue;
    const close = closeName(id, [...set.byId.keys()]);
    const hint = close === undefined ? '' : `; did you mean ${close}?`;
    throw notFound(`POLICY_NOT_FOUND: no policy in ${where} has the id ${id}${hint}`);
  }
  return {
    ...set,
    policies: set.policies.filter(({ id }) => ids.includes(id)),
  };
}
