import type { ImageMetadata } from '../image-metadata';

/**
 * A condition type of a program's own: what it knows of an image is what a policy's operators compare with. It is asked before the
 * policies are evaluated, and only where its answer makes a difference.
 */
export interface ImageConditionType {
  /**
   * The values that an image has: none if it is known to have none, undefined if that is not known. A type that throws is asked up
   * to three times.
   *
   * @param image a field that is undefined could not be read
   * @param key of the condition; undefined for one without
   * @param signal aborts once the time for the image is over: what is answered later does not count
   */
  values(
    image: ImageMetadata,
    key: string | undefined,
    signal: AbortSignal,
  ): readonly string[] | undefined | Promise<readonly string[] | undefined>;
}

/** By the names that conditions have as their type. */
export type ImageConditionTypes = ReadonlyMap<string, ImageConditionType>;

/** What a condition type of a program's own said of an image. Neither field: it does not know. */
export interface OwnValues {
  values?: readonly string[];
  /** why there is no answer */
  error?: string;
}

/** Under which an image has what a type said for a key; names of types have no space. */
export function ownValuesName(type: string, key: string | undefined): string {
  return key === undefined ? type : `${type} ${key}`;
}
