import type { PolicySet } from '../../rules/document/read-policies';
import type { RuleDomain } from '../../rules/domain';
import { closeName } from '../../platform/documents/close-name';
import { notFound } from '../exit';
import type { CommandIo } from '../io';
import { ruleDomain } from './domain';

/** The policies of a file or folder, with the domain that they are for. @throws GateError ConfigInvalid with every fault */
export async function openPolicies(
  { cwd }: Pick<CommandIo, 'cwd'>,
  path: string,
): Promise<{ domain: RuleDomain; set: PolicySet }> {
  const [{ loadPolicies }, { resolve }, domain] = await Promise.all([
    import('../../rules/sources/load-policies.js'),
    import('node:path'),
    ruleDomain(),
  ]);
  return { domain, set: await loadPolicies(resolve(cwd, path), domain) };
}

/** @throws CliExit 2 that names the nearest policy */
export function checkPolicy({ policies, documents }: PolicySet, name: string, where: string): void {
  if (policies.some((policy) => policy.name === name)) return;
  if (documents.has(name)) throw notFound(`${name} in ${where} is a template, which is never evaluated`);
  throw noPolicy(
    policies.map((policy) => policy.name),
    name,
    where,
  );
}

/** No policy or template has the name. */
export function noPolicy(names: readonly string[], name: string, where: string): Error {
  const close = closeName(name, names);
  return notFound(`no policy in ${where} is named ${name}${close === undefined ? '' : `; did you mean ${close}?`}`);
}

/** `1 policy`, `2 policies`. */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}
