import type { JsonObject } from '../../kernel/json';

/** A state document as its source gave it. */
export interface SourcedState {
  document: JsonObject;
  /** for people, without secrets */
  source: string;
  /** steps can be bound to the document's version: whoever carries them out refuses them on another */
  guardsVersion: boolean;
}

/** Where the state of a system comes from. */
export interface StateSource {
  /** @throws GateError FactSourceUnavailable, FactInvalid or FactStale */
  read(signal: AbortSignal): Promise<SourcedState>;
}
