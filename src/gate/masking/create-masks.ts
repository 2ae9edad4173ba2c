import { messageOf } from '../../kernel/message-of';
import type { Snapshot, SnapshotFailure } from '../facts/snapshot';
import { FailureType, faultsToError, GateError } from '../../kernel/failures';
import type { JsonObject, JsonValue } from '../../kernel/json';
import type { Release } from '../../releases/release';
import type { PolicyBundle } from '../../rego/bundle/policy-bundle';
import { maskEvent, toMaskRules } from './bundle-mask';
import { MASK_ALL, resolveMask } from './mask';
import { maskPathFault, type MaskRule } from '../../kernel/mask-rule';

export interface MasksOptions {
  /** pointers of the settings */
  settings: readonly string[];
  /** whether a release with masks of its own would be taken; @default true */
  takesMasks?: boolean;
  evaluate(request: {
    policy: PolicyBundle;
    configDocument: JsonObject;
    input: JsonObject;
    decisionTimeMs: number;
  }): Promise<{ response: JsonValue | undefined }>;
  /** an evaluation of a mask gave no answer, or one of another shape: everything is masked */
  onFailure(): void;
}

type About = { taken: Taken; input: JsonObject; result?: JsonValue; absent?: readonly string[] };
type Taken = Pick<Snapshot | SnapshotFailure, 'decisionId' | 'decisionTimeMs'>;

/** What must be masked, by the settings and by the release together. */
export interface Masks {
  /** of one decision, or of facts that failed; empty when nothing */
  of(release: Release, about: About): Promise<MaskRule[]>;
  /**
   * Asks the masks of a release once, before it is taken: later, masks that give no answer mask everything.
   *
   * @throws GateError PolicyInvalid
   */
  check(release: Release): Promise<void>;
  /** where it is unknown what: all, when the release has masks of its own, or could have any while no release is known */
  unknown(release: Release | undefined): MaskRule[];
  /** whether something of `deployment` may be masked; without a release, whether one could say so */
  mayHide(release: Release | undefined, deployment: JsonObject): boolean;
}

/** @throws GateError ConfigInvalid with every pointer of the settings that masks nothing */
export function createMasks({ settings, takesMasks = true, evaluate, onFailure }: MasksOptions): Masks {
  const faults = settings.flatMap((pointer, index) => {
    const message = maskPathFault(pointer);
    return message === undefined ? [] : [{ type: FailureType.ConfigInvalid, message, where: `audit.mask[${index}]` }];
  });
  if (faults.length > 0) throw faultsToError(faults);
  // The evaluator knows a policy by its object: one and the same for each release.
  const maskPolicies = new WeakMap<PolicyBundle, PolicyBundle>();

  const ask = async (
    { policy, configDocument, ref }: Release,
    maskEntrypoint: string,
    { taken: { decisionId, decisionTimeMs }, input, result }: About,
  ): Promise<ReturnType<typeof toMaskRules>> => {
    const maskPolicy = maskPolicies.get(policy) ?? { ...policy, entrypoint: maskEntrypoint };
    maskPolicies.set(policy, maskPolicy);
    const revision = ref.manifestVersion;
    const event = maskEvent({ decisionId, decisionTimeMs, input, revision, result, entrypoint: policy.entrypoint });
    const { response } = await evaluate({ policy: maskPolicy, configDocument, input: event, decisionTimeMs });
    return toMaskRules(response);
  };

  const ofBundle = async (release: Release, about: About): Promise<readonly MaskRule[]> => {
    const { maskEntrypoint } = release.policy;
    if (maskEntrypoint === undefined) return [];
    try {
      const { rules, isFit } = await ask(release, maskEntrypoint, about);
      if (!isFit) onFailure();
      return rules;
    } catch {
      onFailure();
      return MASK_ALL;
    }
  };

  const unknown: Masks['unknown'] = (release) => {
    const mayMask = release === undefined ? takesMasks : release.policy.maskEntrypoint !== undefined;
    return mayMask ? [...MASK_ALL] : [...settings];
  };

  return {
    of: async (release, about) => {
      const { input, absent = [] } = about;
      // A rule about a fact that could not be had may not have fired, and what is said about the fact may quote it.
      const unseen = release.policy.maskEntrypoint === undefined ? [] : absent.map((id) => `/input/${id}`);
      return resolveMask([...settings, ...(await ofBundle(release, about)), ...unseen], input, absent);
    },
    check: async (release) => {
      const { maskEntrypoint } = release.policy;
      if (maskEntrypoint === undefined) return;
      const deployment = { id: 'smoke', stage: 'smoke', stage_index: 0, attributes: {}, stage_attributes: {} };
      const taken = { decisionId: 'smoke', decisionTimeMs: release.loadedAtMs };
      const asked = ask(release, maskEntrypoint, { taken, input: { deployment } });
      const { isFit } = await asked.catch((error: unknown) => {
        throw invalid(`to be evaluated, but it failed: ${messageOf(error)}`);
      });
      if (!isFit) throw invalid('to give pointers, or objects {op, path, value}, to facts, attributes or the result');
    },
    unknown,
    mayHide: (release, deployment) => resolveMask(unknown(release), { deployment }).length > 0,
  };
}

const invalid = (expected: string): GateError =>
  new GateError(FailureType.PolicyInvalid, `Expected data.system.log.mask ${expected}`);
