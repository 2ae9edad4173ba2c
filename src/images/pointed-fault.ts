/** Something that is wrong in a document, at a JSON Pointer (RFC 6901) below it. */
export interface PointedFault {
  pointer: string;
  /** begins in lower case: what was expected, and what was found */
  sentence: string;
}
