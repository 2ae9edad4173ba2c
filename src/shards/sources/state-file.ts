import { isJsonObject } from '../../kernel/json';
import { FailureType, GateError } from '../../kernel/failures';
import { loadDocuments } from '../../platform/documents/loaders/document';
import { RULE_LIMITS } from '../../rules/limits';
import type { StateSource } from '../../rules/execution/state-source';

/** The state of a file, read again each time: whoever writes it says by `observed_at` when it was true. */
export function stateOfFile(path: string): StateSource {
  return {
    read: async () => {
      const { documents } = await loadDocuments(path, { largestBytes: RULE_LIMITS.stateBytes });
      const [first, second] = documents;
      if (first !== undefined && second === undefined && isJsonObject(first.document)) {
        return { document: first.document, source: path, guardsVersion: false };
      }
      throw new GateError(FailureType.FactInvalid, `Expected one state document in ${path}, got ${documents.length}`);
    },
  };
}
