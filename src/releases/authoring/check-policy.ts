import type { ReleaseConfig } from '../config/release-config';
import { FailureType, GateError, type Fault } from '../../kernel/failures';
import { placeText } from '../../kernel/fault-text';
import { isJsonObject, type JsonObject } from '../../kernel/json';
import { atPointer, toPointer } from '../../kernel/json-pointer';
import { checkRelease } from '../check-release';
import { factSchemas, schemaAt, typesOf } from '../../rego/analysis/input-schema';
import type { PolicyReads } from '../../rego/analysis/policy-reads';
import { basePaths } from '../../rego/analysis/reads';
import { unreachableDefaults } from '../../rego/analysis/source-faults';
import type { PolicyBundle } from '../../rego/bundle/policy-bundle';
import type { Declaration } from '../../rego/declarations/declaration';
import { reviewDeclarations } from '../../rego/declarations/review-declarations';
import { voteless, type Voteless } from './voteless';
import { unreachedDenials, type NamedRule } from '../../rego/analysis/unreached-denials';
import { ruleLines } from '../../rego/declarations/read-declarations';
import { analyse, buildPolicy, type BuiltPolicy } from '../../rego/toolchain/build-policy';
import { firstUnformatted, formatPolicy } from '../../rego/toolchain/format-policy';
import { opaFaults, runOpa, withCapabilities, type CapabilitiesFile } from '../../rego/toolchain/opa';
import { readPolicyFolder, type PolicyFolder } from '../../rego/toolchain/policy-folder';

export interface PolicyCheck {
  /** each keeps the policy from being released with this configuration */
  errors: Fault[];
  warnings: Fault[];
  /** what the policy's rules deal with themselves, in the order of the files */
  declarations: readonly Declaration[];
  /** where an allow can be left to the plan alone */
  withoutSecondOpinion: readonly Voteless[];
  /** the built policy and its archive; absent where errors kept it from being built */
  bundle?: PolicyBundle;
  bytes?: Uint8Array;
}

/**
 * Checks the policy in `dir` as it will be used with `config`: strictness, formatting, entrypoint, built-ins, and that
 * every fact and limit it reads is described, provided and configured.
 *
 * @param config absent: what depends on a configuration is not looked at
 * @param configDocument what the policy sees as `data.config` @default limits and parameters of `config`
 * @param faultsOf what keeps the built policy from being a release; @default whether it fits `config`
 */
export async function checkPolicy(
  dir: string,
  config?: ReleaseConfig,
  configDocument: JsonObject = { limits: config?.limits ?? {}, parameters: config?.parameters ?? {} } as JsonObject,
  faultsOf?: (policy: PolicyBundle) => Promise<readonly Fault[]>,
): Promise<PolicyCheck> {
  const folder = await readPolicyFolder(dir);
  return withCapabilities(async (capabilities) => {
    const { faults: errors, reads, trees, declarations, deps } = await analyse(dir, folder, capabilities);
    const warnings = [...trees].flatMap(([file, tree]) => unreachableDefaults(file, tree));
    warnings.push(...unreachedDenials(rulePlaces(trees), deps), ...folder.emptyTests.map(emptyTest));
    let built: BuiltPolicy | undefined;
    const canBuild = errors.length === 0;
    // What does not compile may have unused variables too; what does not parse has nothing else.
    if (trees.size === folder.regoFiles.length) addNew(errors, await strictFaults(dir, capabilities));
    if (canBuild) {
      const made = await build(dir);
      if ('faults' in made) errors.push(...made.faults);
      else built = made;
      if (config !== undefined) {
        errors.push(...mistypedFacts(reads, folder, config, configDocument));
        warnings.push(...unused(reads, folder, config));
      }
      if (built !== undefined && faultsOf !== undefined) errors.push(...(await faultsOf(built.bundle)));
      else if (config !== undefined)
        errors.push(...checkRelease(built?.bundle ?? { reads, declarations }, config, configDocument));
      warnings.push(
        // OPA takes METADATA that begins a line only.
        ...reviewDeclarations(declarations, basePaths(deps)).map(({ where, message }) =>
          invalid(`${where}:1`, message),
        ),
      );
      if (built !== undefined) warnings.push(...untypedAttributes(built.bundle));
    }
    errors.push(...(await formattingFaults(dir)));
    return {
      errors,
      warnings,
      declarations: declarations.rules,
      withoutSecondOpinion: built === undefined ? [] : await voteless(built.bundle, configDocument),
      ...(built === undefined ? {} : { bundle: built.bundle, bytes: built.bytes }),
    };
  });
}

/** OPA finds some faults in both of its passes. */
function addNew(faults: Fault[], more: readonly Fault[]): void {
  faults.push(...more.filter(({ message }) => !faults.some((fault) => fault.message === message)));
}

function rulePlaces(trees: ReadonlyMap<string, unknown>): NamedRule[] {
  return ruleLines(trees).map(({ path, range: { file, first }, column }) => ({ path, file, line: first, column }));
}

/** `opa test` passes over it in silence, and so would whoever reads that all tests pass. */
function emptyTest(file: string): Fault {
  return invalid(placeText(file, 1, 1), 'holds no test: the name of a test begins with test_');
}

/** Tests are checked too: strictness finds unused variables there as well. */
async function strictFaults(dir: string, names: CapabilitiesFile): Promise<Fault[]> {
  const result = await runOpa(dir, ['check', '--strict', '--format', 'json', '-b', '.']);
  return result.code === 0 ? [] : opaFaults(result, names);
}

async function formattingFaults(dir: string): Promise<Fault[]> {
  // What OPA cannot parse is a fault of its own.
  const files = await formatPolicy(dir, { write: false }).catch(() => []);
  return Promise.all(
    files.map(async (file) => {
      const { line, column } = await firstUnformatted(dir, file);
      return invalid(placeText(file, line, column), 'is not formatted; run gate policy fmt');
    }),
  );
}

async function build(dir: string): Promise<BuiltPolicy | { faults: readonly Fault[] }> {
  try {
    return await buildPolicy(dir);
  } catch (error) {
    if (error instanceof GateError) return { faults: error.faults };
    throw error;
  }
}

const ATTRIBUTE_FILES = { attributes: 'attributes.json', stage_attributes: 'stage_attributes.json' } as const;

/** Nothing but a schema keeps a deployment from giving an attribute as a text that the policy compares as a number. */
function untypedAttributes({ reads, attributesSchema, stageAttributesSchema }: PolicyBundle): Fault[] {
  const schemas = { attributes: attributesSchema, stage_attributes: stageAttributesSchema };
  return reads.inputPaths.flatMap(([root, kind, ...path]) => {
    if (root !== 'deployment' || (kind !== 'attributes' && kind !== 'stage_attributes') || path.length === 0) return [];
    const schema = schemaAt(schemas[kind] ?? {}, path);
    const isTyped = schema !== undefined && ['type', 'enum', 'const', '$ref'].some((key) => Object.hasOwn(schema, key));
    if (isTyped) return [];
    return [invalid(ATTRIBUTE_FILES[kind], `gives no type to ${path.join('.')}, which the policy reads`)];
  });
}

/** A `config` provider's value is known now, so its type can be compared now; others are checked at each snapshot. */
function mistypedFacts(
  reads: PolicyReads,
  folder: PolicyFolder,
  config: ReleaseConfig,
  configDocument: JsonObject,
): Fault[] {
  const schemas = factSchemas(folder.inputSchema ?? {});
  return reads.facts.flatMap((factId) => {
    const provider = config.facts[factId];
    const wanted = typesOf(schemas[factId] ?? {});
    if (provider?.type !== 'config' || wanted.length === 0) return [];
    const value = atPointer({ ...config, ...configDocument } as JsonObject, provider.path);
    const found = jsonTypes(value);
    if (found.some((type) => wanted.includes(type))) return [];
    return [
      {
        ...invalid(
          `facts.${factId}`,
          `expected ${wanted.join(' or ')} as in input.json, found ${found[0]} at ${provider.path}`,
        ),
        factId,
      },
    ];
  });
}

function jsonTypes(value: unknown): string[] {
  if (value === undefined) return ['nothing'];
  if (value === null) return ['null'];
  if (Array.isArray(value)) return ['array'];
  if (typeof value === 'number') return Number.isInteger(value) ? ['integer', 'number'] : ['number'];
  return [isJsonObject(value) ? 'object' : typeof value];
}

function unused(reads: PolicyReads, folder: PolicyFolder, config: ReleaseConfig): Fault[] {
  const isUnread = (factId: string): boolean => !reads.facts.includes(factId);
  return [
    ...Object.keys(config.facts)
      .filter(isUnread)
      .map((factId) => ({ ...invalid(`facts.${factId}`, 'provides a fact that the policy does not read'), factId })),
    ...Object.keys(factSchemas(folder.inputSchema ?? {}))
      .filter(isUnread)
      .map((factId) => {
        const place = folder.placeOf('input.json', toPointer(['properties', factId]));
        return { ...invalid(place, `describes ${factId}, which the policy does not read`), factId };
      }),
  ];
}

function invalid(where: string, what: string): Fault {
  return { type: FailureType.PolicyInvalid, message: `${where}: ${what}`, where };
}
