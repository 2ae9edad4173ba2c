import { resolve } from 'node:path';
import type { ActionContext } from '../../actions/action';
import { ACTIONS } from '../../../images/gating/all-actions';
import { deploymentSizeFaults } from '../deployment-size';
import { DeploymentSchema, type DeploymentSpec } from '../deployment-spec';
import { faultsToError, type Fault } from '../../../kernel/failures';
import type { JsonObject, JsonValue } from '../../../kernel/json';
import { findBadDurations } from '../../../platform/documents/bad-durations';
import { parseDuration } from '../../../kernel/duration';
import { escapePointer } from '../../../kernel/json-pointer';
import { faultAt, validate, type DocumentPlace } from '../../../platform/documents/validate';
import { loadDocument, parseYamlBytes } from '../../../platform/documents/loaders/document';

/**
 * The deployment that a file describes, frozen.
 *
 * @param path relative to `cwd`
 * @throws GateError ConfigInvalid with every fault
 */
export async function loadDeployment(path: string, cwd: string): Promise<DeploymentSpec> {
  const file = resolve(cwd, path);
  const { document, lineOf, columnOf } = await loadDocument(file);
  return parseDeployment(document, { file, lineOf, columnOf });
}

/**
 * The deployment that bytes of YAML or JSON describe, frozen.
 *
 * @param where what to call them in messages
 * @throws GateError ConfigInvalid with every fault
 */
export async function parseDeploymentBytes(bytes: Uint8Array, where: string): Promise<DeploymentSpec> {
  const { document, lineOf, columnOf } = await parseYamlBytes(where, bytes);
  return parseDeployment(document, { file: where, lineOf, columnOf });
}

/**
 * A deployment put together by a caller, checked as one from a file is: form, unique stage names, times above
 * zero, and the templates of every action against the attributes that they will be filled from.
 *
 * @param where what to call the document in messages; @default the deployment
 * @throws GateError ConfigInvalid with every fault
 */
export function validateDeployment(document: unknown, where = 'the deployment'): DeploymentSpec {
  // `validate` refuses what is not JSON, with its place.
  return parseDeployment(document as JsonValue, { file: where });
}

function parseDeployment(document: JsonValue, place: DocumentPlace): DeploymentSpec {
  const spec = validate<DeploymentSpec>(DeploymentSchema, document, place);
  const faults: Fault[] = findBadDurations(spec).map(({ pointer, sentence }) => faultAt(place, pointer, sentence));
  const firstByName = new Map<string, number>();
  spec.stages.forEach((stage, index) => {
    const first = firstByName.get(stage.name);
    if (first === undefined) firstByName.set(stage.name, index);
    else
      faults.push(
        faultAt(place, `/stages/${index}/name`, `stages[${index}] has the name of stages[${first}]: ${stage.name}`),
      );
    faults.push(...actionFaults(spec, index, place));
    if (stage.recheckEvery !== undefined && isZero(stage.recheckEvery)) {
      const sentence = `expected stages[${index}].recheckEvery to be longer than 0, got "${stage.recheckEvery}"`;
      faults.push(faultAt(place, `/stages/${index}/recheckEvery`, sentence));
    }
  });
  faults.push(...deploymentSizeFaults(spec).map(({ pointer, sentence }) => faultAt(place, pointer, sentence)));
  if (faults.length > 0) throw faultsToError(faults);
  return spec;
}

function isZero(duration: string): boolean {
  try {
    return parseDuration(duration) <= 0;
  } catch {
    // reported by findBadDurations
    return false;
  }
}

function actionFaults(spec: DeploymentSpec, index: number, place: DocumentPlace): Fault[] {
  const stage = spec.stages[index];
  if (stage?.action === undefined) return [];
  const context: ActionContext = {
    deployment_id: spec.id,
    stage: stage.name,
    stage_index: index,
    attributes: (spec.attributes ?? {}) as JsonObject,
    stage_attributes: (stage.attributes ?? {}) as JsonObject,
    // Known only when the stage is decided; any id renders alike.
    decision_id: '00000000-0000-4000-8000-000000000000',
  };
  return ACTIONS.check(stage.action, context).map(({ message, where = 'action' }) => {
    const pointer = `/stages/${index}/${where.split('.').map(escapePointer).join('/')}`;
    return faultAt(place, pointer, `stages[${index}]: ${message}`);
  });
}
