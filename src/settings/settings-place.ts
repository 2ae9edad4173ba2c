import { faultsToError, GateError, type Fault } from '../kernel/failures';
import { toPointer } from '../kernel/json-pointer';
import { faultAt, type DocumentPlace } from '../platform/documents/validate';
import type { LoadedSettings } from './load-settings';
import { Settings } from './settings';

/** A path of the settings as faults name it: `http.port`, `audit.mask[2]`, `actions.secrets.token`. */
const PATH = new RegExp(`^(?:${Object.keys(Settings.properties).join('|')})(?:[.[].*)?$`);

/** A fault that names a path of the settings, with the file, line and column of it; any other fault as it is. */
export function placedInSettings(place: DocumentPlace | undefined, fault: Fault): Fault {
  if (place?.lineOf === undefined || fault.where === undefined || !PATH.test(fault.where)) return fault;
  const keys = fault.where.split(/[.[\]]+/).filter((key) => key !== '');
  const { message, where } = faultAt(place, toPointer(keys), fault.message);
  return { ...fault, message, where };
}

/**
 * What `work` gives. What is wrong with the settings shows only when something is opened by them; a fault about a path of them
 * is thrown on with its place in their file.
 */
export async function withSettingsPlace<T>(
  { place }: Pick<LoadedSettings, 'place'>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    const faults = error.faults.map((fault) => placedInSettings(place, fault));
    if (faults.every((fault, index) => fault === error.faults[index])) throw error;
    throw new GateError(error.type, faultsToError(faults).message, faults, { cause: error });
  }
}
