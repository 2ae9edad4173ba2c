import { FailureType, GateError } from '../../kernel/failures';
import type { JsonValue } from '../../kernel/json';
import type { Manifest } from '../manifest';

/** A document as a loader gives it. */
export interface ManifestDocument {
  document: JsonValue;
  lineOf?(pointer: string): number | undefined;
  columnOf?(pointer: string): number | undefined;
}

/**
 * The manifest that `load` reads.
 *
 * @throws GateError ManifestInvalid with every fault: it was read, and names no release; PolicyUnavailable when the file
 *   could not be read at all, so that it is unknown what it names
 */
export async function readManifest(where: string, load: () => Promise<ManifestDocument>): Promise<Manifest> {
  try {
    const { document, lineOf, columnOf } = await load();
    // A command that loads a bundle alone needs neither: its start is short.
    const [{ Manifest: schema }, { validate }] = await Promise.all([
      import('../manifest.js'),
      import('../../platform/documents/validate.js'),
    ]);
    return validate<Manifest>(schema, document, { file: where, lineOf, columnOf });
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    // An error of the operating system: there is no such file, or it cannot be read.
    const isUnread = (error.cause as NodeJS.ErrnoException | undefined)?.errno !== undefined;
    const type = isUnread ? FailureType.PolicyUnavailable : FailureType.ManifestInvalid;
    const faults = error.faults.map((fault) => ({ ...fault, type }));
    throw new GateError(type, error.message, faults, { cause: error });
  }
}
