import type { OwnValues } from './conditions/condition-type';
import type { SignatureCheck } from './signatures/signature-check';

/**
 * What conditions are about. A field that is undefined could not be read: nothing is known of it. On an image of several platforms
 * a label, an annotation, an architecture or an operating system holds if any of them has it, so each has a list of values.
 */
export interface ImageMetadata {
  registry: string;
  repository: string;
  /** null for an image that is named by its digest alone */
  tag: string | null;
  digest?: string;
  labels?: Values;
  annotations?: Values;
  /** bytes of config and layers, of all platforms */
  size?: number;
  /** epoch milliseconds; of the newest platform */
  createdAtMs?: number;
  architectures?: readonly string[];
  os?: readonly string[];
  hasSignature?: boolean;
  /** whether the keys of policies signed it, by the policies' ids; not verified for a policy that is missing */
  signatures?: ReadonlyMap<string, SignatureCheck>;
  /** what condition types of a program's own said, by `ownValuesName`; unknown where one is missing */
  own?: ReadonlyMap<string, OwnValues>;
}

/** By key; a key that is not there is known to be absent. */
export type Values = Readonly<Record<string, readonly string[]>>;
