import { jsonBytes, LIMITS } from '../../kernel/limits';
import type { DeploymentSpec } from './deployment-spec';

/** Something of a deployment that is too big. */
export interface SizeFault {
  /** JSON Pointer */
  pointer: string;
  /** a clause that says what was expected and what was found */
  sentence: string;
}

/**
 * What is too big of a deployment. Its attributes are in its start and in each request for facts, all of it is in its start
 * and in each continued run: a bigger one would be ended by Temporal.
 */
export function deploymentSizeFaults(spec: Pick<DeploymentSpec, 'attributes' | 'stages'>): SizeFault[] {
  const faults: SizeFault[] = [];
  const { attributesBytes, deploymentBytes } = LIMITS;
  const attributes = attributesSize([spec.attributes, ...spec.stages.map((stage) => stage.attributes)]);
  if (attributes > attributesBytes) {
    const what = 'the attributes of the deployment and of its stages';
    const sentence = `expected ${what} to have at most ${attributesBytes} bytes as JSON, got ${attributes}`;
    faults.push({ pointer: '/attributes', sentence });
  }
  const all = jsonBytes(spec);
  if (all > deploymentBytes) {
    const sentence = `expected the deployment to have at most ${deploymentBytes} bytes as JSON, got ${all}`;
    faults.push({ pointer: '', sentence });
  }
  return faults;
}

/** Bytes of attributes as JSON; absent ones have none. */
export function attributesSize(all: readonly (object | undefined)[]): number {
  return all.reduce<number>((sum, one) => sum + (one === undefined ? 0 : jsonBytes(one)), 0);
}
