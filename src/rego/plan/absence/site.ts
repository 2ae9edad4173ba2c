import type { SourceLine } from '../plan';
import type { Origin, OriginKey } from './origin';

/** A statement that may note something: where it is, in which rule, and what is known of the value that it looks into. */
export interface Site {
  at: SourceLine;
  /** the path of the rule or function whose body it is in, without `data` */
  rulePath: readonly string[];
  /** of the value that is looked into */
  origin?: Origin;
  /** a lookup's key */
  key?: OriginKey;
  /** the keys of the lookups that follow in the same reference: a planner that asks for `data.a.b.c` begins at `data.a` */
  rest?: readonly OriginKey[];
  /** the whole path of a dynamic reference to rules (`data.teams[x].deny`) that this lookup is the second part of */
  dynamicPath?: readonly OriginKey[];
}
