import { closeName } from '../../platform/documents/close-name';
import type { RulePolicy } from './rule-policy';

/** A policy's dependency that does not exist, or that comes back to the policy itself. */
export interface DependencyFault {
  /** of the policy that has it */
  name: string;
  fault: string;
}

/** Dependencies on policies that are missing, and cycles: each cycle once, told at the first of its policies by name. */
export function dependencyFaults(policies: readonly Pick<RulePolicy, 'name' | 'dependsOn'>[]): DependencyFault[] {
  const byName = new Map(policies.map((policy) => [policy.name, policy]));
  const names = [...byName.keys()].sort();
  const faults: DependencyFault[] = [];
  for (const name of names) {
    for (const dependency of byName.get(name)!.dependsOn) {
      if (byName.has(dependency)) continue;
      const close = closeName(dependency, names);
      const hint = close === undefined ? '' : `; did you mean ${close}?`;
      faults.push({ name, fault: `expected the name of a policy that can be evaluated, got ${dependency}${hint}` });
    }
  }
  const done = new Set<string>();
  for (const start of names) {
    // With a stack of its own: a chain may be longer than the thread's.
    const path: { name: string; next: number }[] = [{ name: start, next: 0 }];
    const onPath = new Set([start]);
    while (path.length > 0) {
      const top = path.at(-1)!;
      const dependency = byName.get(top.name)!.dependsOn[top.next];
      top.next += 1;
      if (dependency === undefined || done.has(top.name)) {
        done.add(top.name);
        onPath.delete(top.name);
        path.pop();
      } else if (onPath.has(dependency)) {
        const cycle = path.slice(path.findIndex(({ name }) => name === dependency)).map(({ name }) => name);
        faults.push({
          name: dependency,
          fault: `policies depend on one another: ${[...cycle, dependency].join(' → ')}`,
        });
      } else if (byName.has(dependency) && !done.has(dependency)) {
        path.push({ name: dependency, next: 0 });
        onPath.add(dependency);
      }
    }
  }
  return faults;
}
