/**
 * What a policy reads, worked out from its source by `opa deps` when it is built and kept with the bundle (gate rules,
 * section 3). A path is a list of keys below `input` or `data.config`: `['fleet', 'pending']` for `input.fleet.pending`.
 */
export interface PolicyReads {
  /** ids of the facts read, ordered; `deployment` and `decision_time` are not facts */
  facts: string[];
  /** every path below `input` that must be present and not null, `deployment.attributes.*` included */
  inputPaths: string[][];
  /** every path below `data.config` that must be present and not null; `[]` alone means the whole object */
  configPaths: string[][];
  /** paths below `input` that are iterated over and so must not be empty unless input.json says otherwise */
  collections: string[][];
  /** bare `input` is read: every property of input.json counts as read */
  wholeInput: boolean;
}
