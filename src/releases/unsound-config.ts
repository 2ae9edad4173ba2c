import { GateError } from '../kernel/failures';
import type { LoadedConfig } from './sources/release-source';

/** A configuration is refused; `sound` is what is left without the parts that are wrong, for a look at the rest. */
export class UnsoundConfigError extends GateError {
  constructor(
    { type, message, faults }: GateError,
    readonly sound: LoadedConfig,
  ) {
    super(type, message, faults);
  }
}
