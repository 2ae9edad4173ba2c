import { basename, relative } from 'node:path';
import { faultsToError, type Fault } from '../../kernel/failures';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { faultAt, placeBelow, type DocumentPlace } from '../../platform/documents/validate';
import { isFragments, type RuleSource } from '../document/read-policies';
import { includesOf } from '../graph/policy-graph';

/** A document of a file, under the name that the store has it by. */
export interface NamedDocument {
  /** a policy's own; of fragments, which have none, that of their file */
  name: string;
  document: JsonObject;
  /** it has fragments, or enumerations: no policy */
  fragments: boolean;
  where: DocumentPlace;
}

/**
 * The documents of files in an order in which each can be stored: after those that it extends, includes and depends on. Where
 * they need one another in a circle, the store refuses them.
 *
 * @param path the file or folder that was read; fragments are named after their file, relative to it: `cool.yaml`, and
 *   `cool.yaml#2` for the second in a file
 * @throws GateError ConfigInvalid for what is no object
 */
export function toStore(sources: readonly RuleSource[], path: string): NamedDocument[] {
  const faults: Fault[] = [];
  const inFile = new Map<string, number>();
  const named = sources.flatMap(({ where: whole, document }) =>
    (Array.isArray(document) ? document : [document]).flatMap((one, at): NamedDocument[] => {
      const where = Array.isArray(document) ? placeBelow(whole, `/${at}`) : whole;
      if (!isJsonObject(one)) {
        faults.push(faultAt(where, '', 'expected a policy or fragments: an object'));
        return [];
      }
      if (!isFragments(one)) {
        return [{ name: typeof one.name === 'string' ? one.name : '', document: one, fragments: false, where }];
      }
      const file = (relative(path, where.file) || basename(where.file)).replaceAll('\\', '/');
      const count = (inFile.get(file) ?? 0) + 1;
      inFile.set(file, count);
      return [{ name: count === 1 ? file : `${file}#${count}`, document: one, fragments: true, where }];
    }),
  );
  if (faults.length > 0) throw faultsToError(faults);
  return inOrderOfNeed(named);
}

function inOrderOfNeed(named: readonly NamedDocument[]): NamedDocument[] {
  const policies = new Map(named.map((one, at) => [one.name, at]));
  const fragments = new Map(
    named.flatMap(({ document }, at) =>
      isJsonObject(document.fragments)
        ? Object.keys(document.fragments).map((name): [string, number] => [name, at])
        : [],
    ),
  );
  const needsOf = ({ document, fragments: isShared }: NamedDocument): number[] => {
    const conditions = isShared ? Object.values(asObject(document.fragments)) : [document.conditions];
    const others = [document.extends, ...(Array.isArray(document.dependsOn) ? document.dependsOn : [])];
    return [
      ...conditions.flatMap(includesOf).flatMap((name) => fragments.get(name) ?? []),
      ...others.flatMap((name) => (typeof name === 'string' ? (policies.get(name) ?? []) : [])),
    ];
  };
  const left = new Map<number, number[]>();
  const order: NamedDocument[] = [];
  for (const start of named.keys()) {
    // With a stack of its own: a chain may be longer than the thread's.
    const stack = left.has(start) ? [] : [start];
    while (stack.length > 0) {
      const at = stack.at(-1)!;
      const needs = left.get(at) ?? needsOf(named[at]!);
      left.set(at, needs);
      const next = needs.shift();
      if (next === undefined) order.push(named[stack.pop()!]!);
      else if (!left.has(next)) stack.push(next);
    }
  }
  return order;
}

function asObject(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
