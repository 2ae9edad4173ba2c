import { faultsToError, GateError, type Fault } from '../../kernel/failures';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { RESERVED_INPUT_KEYS } from '../../kernel/names';
import { findBadDurations } from '../../platform/documents/bad-durations';
import { findBadLimits } from './bad-limits';
import { parseDuration } from '../../kernel/duration';
import { escapePointer } from '../../kernel/json-pointer';
import { ReleaseConfig } from './release-config';
import { faultAt, validate, type DocumentPlace } from '../../platform/documents/validate';

const FACT_ID = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * A release's configuration with its defaults, frozen.
 *
 * @throws GateError ConfigInvalid with all faults, of form and of meaning: fact ids that a policy could not name or that its
 *   input uses itself, limits that would never bind, a stage that would ask without pause, durations beyond counting
 */
export function parseReleaseConfig(document: JsonValue, place: DocumentPlace): ReleaseConfig {
  try {
    return parseWhole(document, place);
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    const { faults } = soundParts(document, place);
    throw faultsToError([...new Map([...error.faults, ...faults].map((fault) => [fault.message, fault])).values()]);
  }
}

/** What is left of a document without the parts that are refused: each fact and each other key is one. */
export interface SoundParts {
  sound: JsonObject;
  /** paths of the others: `limits`, `facts.max_pending` */
  leftOut: readonly string[];
  /** of the others */
  faults: readonly Fault[];
}

/** The parts of a document that are well by themselves, and the faults of all others. */
export function soundParts(document: JsonValue, place: DocumentPlace): SoundParts {
  if (!isJsonObject(document)) return { sound: {}, leftOut: ['facts', 'limits', 'parameters'], faults: [] };
  const sound: JsonObject = {};
  const leftOut: string[] = [];
  const faults: Fault[] = [];
  const isSound = (path: string, part: JsonObject): boolean => {
    try {
      parseWhole(part, place);
      return true;
    } catch (error) {
      if (!(error instanceof GateError)) throw error;
      faults.push(...error.faults);
      leftOut.push(path);
      return false;
    }
  };
  for (const [key, value] of Object.entries(document)) {
    if (key === 'facts' && isJsonObject(value)) {
      sound.facts = Object.fromEntries(
        Object.entries(value).filter(([factId, fact]) => isSound(`facts.${factId}`, { facts: { [factId]: fact } })),
      );
    } else if (isSound(key, { [key]: value })) sound[key] = value;
  }
  return { sound, leftOut, faults };
}

/** First what is wrong with the form; without one, what is wrong with the meaning. */
function parseWhole(document: JsonValue, place: DocumentPlace): ReleaseConfig {
  const config = validate(ReleaseConfig, document, place);
  const faults: Fault[] = [...findBadDurations(config), ...findBadLimits(config.limits)].map(({ pointer, sentence }) =>
    faultAt(place, pointer, sentence),
  );
  for (const id of Object.keys(config.facts)) {
    const pointer = `/facts/${escapePointer(id)}`;
    if (!FACT_ID.test(id)) {
      const expected = 'a name of letters, digits and _ that does not begin with a digit';
      faults.push(faultAt(place, pointer, `expected a fact's id to be ${expected}, got ${JSON.stringify(id)}`));
    } else if ((RESERVED_INPUT_KEYS as readonly string[]).includes(id)) {
      faults.push(faultAt(place, pointer, `no fact may be called ${id}: the policy's input has a key of that name`));
    }
  }
  if (faults.length === 0 && parseDuration(config.stages.recheckEvery) <= 0) {
    const sentence = `expected stages.recheckEvery to be longer than 0, got "${config.stages.recheckEvery}"`;
    faults.push(faultAt(place, '/stages/recheckEvery', sentence));
  }
  if (faults.length > 0) throw faultsToError(faults);
  return config;
}
