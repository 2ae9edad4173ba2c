/** What arrived in place of a value: the bytes could not be read, or were too many to be parsed. */
export class Unreadable {
  /**
   * @param why one short sentence, for people
   * @param bytes size of what arrived
   */
  constructor(
    readonly why: string,
    readonly bytes: number,
  ) {}
}
