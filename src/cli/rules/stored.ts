import { Command } from 'commander';
import { toJson } from '@bufbuild/protobuf';
import { timestampDate, ValueSchema, type Timestamp, type Value } from '@bufbuild/protobuf/wkt';
import type { PolicyClient } from '../../clients/rules/policy-client';
import { GateError } from '../../kernel/failures';
import { placeText } from '../../kernel/fault-text';
import { pointerOfPath } from '../../kernel/json-pointer';
import type { NamedDocument } from '../../rules/sources/to-store';
import type { Policy } from '../../proto/planning_engine/rules/v1/policy_service_pb';
import type { Trigger } from '../../rules/document/rule-policy';
import { triggerText } from '../../rules/document/trigger';
import { quoted } from '../command-json';
import { CliExit, ExitCode, type CommandContext, type CommandIo } from '../io';
import { count, examples, serverOption, withOutput, withSettings, type CommonOptions } from '../options';
import { printJson, printLines, printTable } from '../output';

export interface ServerOptions extends CommonOptions {
  server?: string;
}

export interface ChangeOptions extends ServerOptions {
  actor: string;
  reason: string;
}

/** Commands about policies of the store ask its server. */
function withServer(command: Command): Command {
  return withOutput(withSettings(command)).addOption(serverOption('rule policies'));
}

export function withReason(command: Command): Command {
  return withServer(command).requiredOption('--actor <name>', 'who acts').requiredOption('--reason <text>', 'why');
}

export async function connect(io: CommandIo, { settings, server }: ServerOptions): Promise<PolicyClient> {
  const [{ openPolicyClient }, { openLoadedSettings }] = await Promise.all([
    import('../../clients/rules/policy-client.js'),
    import('../open-settings.js'),
  ]);
  return openPolicyClient(await openLoadedSettings(io, settings), io.env, server);
}

export const byName = (name: string) => ({ policy: { case: 'policyName', value: name } as const });

/** `gate rules apply -f FILE`: stores what a file or folder holds. */
export function rulesApplyCommand({ io }: CommandContext): Command {
  const command = new Command('apply')
    .summary('store policies of a file or folder')
    .description(
      'Creates each policy that the store does not have, and updates each that differs: one at a time, each after those that it extends, includes or depends on. It ends at the first that is refused, and those before it stay. Fragments are stored under the name of their file. Policies that are only in the store are left alone.',
    )
    .requiredOption('-f, --file <path>', 'file or folder of policies');
  examples(withReason(command), ['gate rules apply -f rules --actor ann --reason "first policies"']);
  return command.action(async (options: ChangeOptions & { file: string }) => {
    const [{ loadRuleSources }, { toStore }, { resolve }] = await Promise.all([
      import('../../rules/sources/load-policies.js'),
      import('../../rules/sources/to-store.js'),
      import('node:path'),
    ]);
    const path = resolve(io.cwd, options.file);
    const documents = toStore(await loadRuleSources(path), path);
    const client = await connect(io, options);
    const applied: { name: string; revision: number; change: string }[] = [];
    try {
      for (const document of documents) applied.push(await apply(client, document, options));
    } finally {
      if (options.output === 'json') printJson(io, { applied });
      else if (applied.length > 0)
        printLines(
          io,
          applied.map(({ name, revision, change }) => `${name} ${change} (revision ${revision})`),
        );
    }
  });
}

/** @throws GateError the server's, each fault with the policy that has it and its place in the file, line and column included */
async function apply(client: PolicyClient, given: NamedDocument, options: ChangeOptions) {
  try {
    return await stored(client, given, options);
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    const { name, where, document } = given;
    const faults = error.faults.map(({ message, where: field = '', ...fault }) => {
      const path = field.replace(/^definition\.?/, '');
      const pointer = pointerOfPath(document, path);
      const place = placeText(where.file, where.lineOf?.(pointer), where.columnOf?.(pointer));
      const parts = [place, name, path, message].filter((part) => part !== '');
      return { ...fault, message: parts.join(': '), where: [place, path].filter(Boolean).join(' ') };
    });
    throw new GateError(error.type, faults.map(({ message }) => message).join('; '), faults, { cause: error });
  }
}

async function stored(client: PolicyClient, given: NamedDocument, { actor, reason }: ChangeOptions) {
  const { name, document, fragments } = given;
  const change = { definition: document as never, actor, reason };
  const found = name === '' ? undefined : await find(client, name);
  if (found === undefined) {
    const { policy } = await client.createPolicy(fragments ? { ...change, name } : change);
    return { name: policy!.name, revision: policy!.revision, change: 'created' };
  }
  const { policy } = await client.updatePolicy({ ...byName(name), ...change, revision: found.revision });
  return { name, revision: policy!.revision, change: policy!.revision === found.revision ? 'unchanged' : 'updated' };
}

async function find(client: PolicyClient, name: string): Promise<Policy | undefined> {
  try {
    return (await client.getPolicy(byName(name))).policy;
  } catch (error) {
    if (error instanceof GateError && error.type === 'RuleNotFound') return undefined;
    throw error;
  }
}

/** `gate rules get NAME`: the document, or with `-o json` the policy with its revision. */
export function rulesGetCommand({ io }: CommandContext): Command {
  const command = new Command('get')
    .summary('a stored policy')
    .description('Prints the document of a stored policy, as it was written.')
    .argument('<name>', 'its name');
  examples(withServer(command), ['gate rules get cool-nodes-first', 'gate rules get cool-nodes-first -o json']);
  return command.action(async (name: string, options: ServerOptions) => {
    const { policy } = await (await connect(io, options)).getPolicy(byName(name));
    if (options.output === 'json') return printJson(io, shown(policy!));
    printLines(io, JSON.stringify(policy!.definition, null, 2).split('\n'));
  });
}

/** `gate rules list`: the living policies. */
export function rulesListCommand({ io }: CommandContext): Command {
  const command = new Command('list')
    .summary('stored policies')
    .description('Lists stored policies by name.')
    .option('--type <type>', 'such as placement')
    .option('--operation <operation>', 'those that apply to it, such as place_shard')
    .option('--prefix <text>', 'what their names begin with')
    .option('--limit <number>', 'so many at most', count, 1_000);
  examples(withServer(command), ['gate rules list', 'gate rules list --type placement -o json']);
  return command.action(
    async (options: ServerOptions & { type?: string; operation?: string; prefix?: string; limit: number }) => {
      const { type = '', operation = '', prefix = '', limit } = options;
      const client = await connect(io, options);
      const policies: Policy[] = [];
      for (let pageToken = ''; policies.length < limit;) {
        const pageSize = Math.min(1_000, limit - policies.length);
        const page = await client.listPolicies({ type, operation, namePrefix: prefix, pageSize, pageToken });
        policies.push(...page.policies);
        pageToken = page.nextPageToken;
        if (pageToken === '') break;
      }
      if (options.output === 'json') return printJson(io, { policies: policies.map(shown) });
      const rows = policies.map((policy) => {
        const { name, type: of, priority, enabled, revision, updateTime } = policy;
        const told = [name, of, String(priority), enabled ? 'yes' : 'no', String(revision), timeOf(updateTime)];
        return [...told, runsText(policy)];
      });
      await printTable(io, ['policy', 'type', 'priority', 'enabled', 'revision', 'updated', 'runs'], rows);
    },
  );
}

/** `gate rules history NAME`: its revisions. */
export function rulesHistoryCommand({ io }: CommandContext): Command {
  const command = new Command('history')
    .summary('revisions of a stored policy, and what differs between two')
    .description('Lists the revisions of a stored policy, newest first; with --diff what differs between two of them.')
    .argument('<name>', 'its name')
    .option('--diff <from..to>', 'two revisions, such as 1..2')
    .option('--limit <number>', 'so many at most', count, 50);
  examples(withServer(command), [
    'gate rules history cool-nodes-first',
    'gate rules history cool-nodes-first --diff 1..2',
  ]);
  return command.action(async (name: string, options: ServerOptions & { diff?: string; limit: number }) => {
    const client = await connect(io, options);
    if (options.diff !== undefined) {
      const [, from, to] = /^([1-9][0-9]{0,8})\.\.([1-9][0-9]{0,8})$/.exec(options.diff) ?? [];
      if (to === undefined) throw new CliExit(ExitCode.usage, `Expected --diff 1..2, got ${options.diff}`);
      const { changes } = await client.diffPolicyVersions({
        ...byName(name),
        fromRevision: Number(from),
        toRevision: Number(to),
      });
      const lines = changes.map(({ path, before, after }) => ({ path, before: textOf(before), after: textOf(after) }));
      if (options.output === 'json') return printJson(io, { changes: lines });
      return printLines(
        io,
        lines.map(({ path, before, after }) => `${path}: ${before ?? '(absent)'} → ${after ?? '(absent)'}`),
      );
    }
    const { versions } = await client.listPolicyVersions({ ...byName(name), pageSize: Math.min(1_000, options.limit) });
    const rows = versions.map(({ revision, change, actor, reason, createTime }) => ({
      ...{ revision, change, actor, reason },
      time: timeOf(createTime),
    }));
    if (options.output === 'json') return printJson(io, { versions: rows });
    await printTable(
      io,
      ['revision', 'change', 'actor', 'reason', 'time'],
      rows.map(({ revision, change, actor, reason, time }) => [String(revision), change, actor, reason, time]),
    );
  });
}

/** `gate rules rollback NAME --to REVISION`: an old revision becomes current, as a new one. */
export function rulesRollbackCommand({ io }: CommandContext): Command {
  const command = new Command('rollback')
    .summary('make an old revision of a policy current')
    .description('Makes an old revision of a stored policy current, as a new revision.')
    .argument('<name>', 'its name')
    .requiredOption('--to <revision>', 'the revision', count);
  examples(withReason(command), ['gate rules rollback cool-nodes-first --to 1 --actor ann --reason "too narrow"']);
  return command.action(async (name: string, options: ChangeOptions & { to: number }) => {
    const client = await connect(io, options);
    const { revision } = (await client.getPolicy(byName(name))).policy!;
    const { to: toRevision, actor, reason } = options;
    const { policy } = await client.rollbackPolicy({ ...byName(name), toRevision, revision, actor, reason });
    if (options.output === 'json') return printJson(io, shown(policy!));
    printLines(io, [`${name} is as in revision ${toRevision} (revision ${policy!.revision})`]);
  });
}

/** `gate rules delete NAME`. */
export function rulesDeleteCommand({ io }: CommandContext): Command {
  const command = new Command('delete')
    .summary('take a policy out of use')
    .description('Takes a stored policy out of use; its revisions stay, and by its id it can be rolled back.')
    .argument('<name>', 'its name');
  examples(withReason(command), ['gate rules delete cool-nodes-first --actor ann --reason "no longer needed"']);
  return command.action(async (name: string, options: ChangeOptions) => {
    const client = await connect(io, options);
    const { revision } = (await client.getPolicy(byName(name))).policy!;
    const { actor, reason } = options;
    const { policy } = await client.deletePolicy({ ...byName(name), revision, actor, reason });
    if (options.output === 'json') return printJson(io, shown(policy!));
    printLines(io, [`${name} is deleted (id ${policy!.id})`]);
  });
}

/** When it runs by itself, or who keeps it from that; empty where its own document says nothing. */
function runsText({ definition, pause }: Policy): string {
  if (pause !== undefined) return `paused by ${pause.actor}${pause.all ? ' (all)' : ''}: ${pause.reason}`;
  const { trigger } = (definition ?? {}) as { trigger?: Trigger };
  return trigger === undefined ? '' : triggerText(trigger);
}

function shown(policy: Policy) {
  const { id, name, type, version, revision, priority, enabled, definition, createTime, updateTime, deleteTime } =
    policy;
  const { pause } = policy;
  return {
    ...{ id, name, type, version, revision, priority, enabled },
    definition: quoted(definition),
    createdAt: timeOf(createTime),
    updatedAt: timeOf(updateTime),
    ...(deleteTime === undefined ? {} : { deletedAt: timeOf(deleteTime) }),
    ...(pause === undefined
      ? {}
      : { pause: { actor: pause.actor, reason: pause.reason, since: timeOf(pause.startTime), all: pause.all } }),
  };
}

function timeOf(timestamp: Timestamp | undefined): string {
  return timestamp === undefined ? '' : timestampDate(timestamp).toISOString();
}

/** A value of a change, as JSON text. */
function textOf(value: Value | undefined): string | undefined {
  return value === undefined ? undefined : JSON.stringify(toJson(ValueSchema, value));
}
