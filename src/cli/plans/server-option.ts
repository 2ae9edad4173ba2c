import { InvalidArgumentError, type Command } from 'commander';
import type { PlanClient } from '../../clients/plans/plan-client';
import { closeName } from '../../platform/documents/close-name';
import { KINDS, kindOfWord, type Kind } from '../../plans/kinds/kinds';
import type { ObjectMeta } from '../../plans/object';
import { notFound } from '../exit';
import type { CommandIo } from '../io';
import { serverOption, withSettings } from '../options';

/** Which server a command asks, and about which namespace. */
export interface PlanServerOptions {
  settings?: string;
  server?: string;
  namespace: string;
}

/** Adds `--server` and `--settings` to a command that asks the server. */
export function withPlanServer(command: Command): Command {
  return withSettings(command).addOption(serverOption('plans'));
}

/** Adds `--namespace`. */
export function withNamespace(command: Command): Command {
  return command.option('-n, --namespace <name>', 'of the objects', 'default');
}

export async function connectPlans(
  io: CommandIo,
  { settings, server }: Pick<PlanServerOptions, 'settings' | 'server'>,
): Promise<PlanClient> {
  const [{ openPlanClient }, { openLoadedSettings }] = await Promise.all([
    import('../../clients/plans/plan-client.js'),
    import('../open-settings.js'),
  ]);
  return openPlanClient(await openLoadedSettings(io, settings), io.env, server);
}

/** An argument that names a kind. */
export function kindArgument(word: string): Kind {
  const found = kindOfWord(word);
  if (found !== undefined) return found;
  const resources = KINDS.map(({ resource }) => resource);
  const near = closeName(word.toLowerCase(), resources);
  const hint = near === undefined ? '' : ` Did you mean ${near}?`;
  throw new InvalidArgumentError(`Expected ${resources.slice(0, -1).join(', ')} or ${resources.at(-1)}.${hint}`);
}

export const RESOURCES = KINDS.map(({ resource }) => resource).join(', ');

/** There is no such object: names the nearest one, or the namespace that has one of this name. */
export function noSuchObject(
  kind: string,
  { name, namespace }: Pick<ObjectMeta, 'name' | 'namespace'>,
  where: string,
  others: readonly { metadata: ObjectMeta }[],
): Error {
  const elsewhere = others.find(({ metadata }) => metadata.name === name);
  const near = closeName(
    name,
    others.filter(({ metadata }) => metadata.namespace === namespace).map(({ metadata }) => metadata.name),
  );
  const hint =
    elsewhere !== undefined
      ? `; it is in namespace ${elsewhere.metadata.namespace} (-n ${elsewhere.metadata.namespace})`
      : near === undefined
        ? ''
        : `; did you mean ${near}?`;
  return notFound(`no ${kind.toLowerCase()} in namespace ${namespace} ${where} is named ${name}${hint}`);
}

/** The same of an object that the server does not have. */
export async function noneOnServer(
  client: PlanClient,
  kind: Kind,
  place: { name: string; namespace: string },
): Promise<Error> {
  const { items } = await client.list({ kind });
  return noSuchObject(kind.kind, place, whereOf(client), items);
}

export function whereOf({ baseUrl }: PlanClient): string {
  return `of the server at ${baseUrl}`;
}
