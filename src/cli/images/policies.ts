import { Command } from 'commander';
import type { ImagePolicySet } from '../../images/policies/image-policy';
import { CliExit, ExitCode, type CommandContext, type CommandIo } from '../io';
import { examples, withOutput, withSettings, type CommonOptions } from '../options';
import { printJson, printLines, printTable } from '../output';
import { policiesApplyCommand, policiesDeleteCommand } from './policies-change';
import {
  noPolicy,
  openPolicyPlaces,
  sayWhoMayWrite,
  type OpenedPolicies,
  type PolicyPlaceOptions,
} from './policies-place';

type PolicyOptions = CommonOptions & PolicyPlaceOptions;

/** `gate images policies`: the policies of the settings, or of a file or folder. */
export function imagesPoliciesCommand(context: CommandContext): Command {
  return new Command('policies')
    .summary('the policies of a folder: check, list, show, apply, delete')
    .description('The image policies that the settings name; with --policies those of a file or folder.')
    .addCommand(checkCommand(context))
    .addCommand(listCommand(context))
    .addCommand(showCommand(context))
    .addCommand(policiesApplyCommand(context))
    .addCommand(policiesDeleteCommand(context))
    .addCommand(reloadCommand(context));
}

function withPlace(command: Command): Command {
  return withOutput(withSettings(command)).option('--policies <path>', "a file or folder in place of the settings'");
}

async function opened(io: CommandIo, options: PolicyOptions): Promise<OpenedPolicies & { set: ImagePolicySet }> {
  const places = await openPolicyPlaces(io, options);
  const set = await places.load();
  await sayWhoMayWrite(io, places);
  return { ...places, set };
}

function checkCommand({ io }: CommandContext): Command {
  const command = new Command('check')
    .summary('check policies')
    .description(
      'Checks all policies, with every fault at once. Who else than the owner may write them is told on standard error.',
    );
  examples(withPlace(command), ['gate images policies check --policies policies']);
  return command.action(async (options: PolicyOptions) => {
    const { set, revision, mayWrite } = await opened(io, options);
    const policies = set.policies.length;
    if (options.output === 'json') return printJson(io, { policies, revision: revision(set), mayWrite });
    printLines(io, [`${counted(policies)}, no faults`]);
  });
}

function listCommand({ io }: CommandContext): Command {
  const command = new Command('list')
    .summary('list policies')
    .description('Lists the policies, the higher priority first, with the file that each is in.');
  examples(withPlace(command), ['gate images policies list']);
  return command.action(async (options: PolicyOptions) => {
    const { set } = await opened(io, options);
    const policies = set.policies.map(({ id, name, priority, enabled, document, actions }) => ({
      ...{ id, name, priority, enabled },
      ...(document.schedule === undefined ? {} : { schedule: document.schedule }),
      actions: [...new Set(actions.map(({ document: { type } }) => type))],
      file: set.places.get(id)?.file ?? '',
    }));
    if (options.output === 'json') return printJson(io, { policies });
    const rows = policies.map(({ id, priority, enabled, schedule = '', actions, file }) => [
      ...[id, String(priority), enabled ? 'yes' : 'no', schedule],
      ...[actions.join(', '), file],
    ]);
    await printTable(io, ['policy', 'priority', 'enabled', 'schedule', 'actions', 'file'], rows);
  });
}

function showCommand({ io }: CommandContext): Command {
  const command = new Command('show')
    .summary('one policy')
    .description('Prints one policy as it is written, with its defaults, and the file that it is in.')
    .argument('<id>', 'its id');
  examples(withPlace(command), ['gate images policies show production-replication']);
  return command.action(async (id: string, options: PolicyOptions) => {
    const { set } = await opened(io, options);
    const policy = set.byId.get(id);
    if (policy === undefined) throw await noPolicy(set, id);
    const file = set.places.get(id)?.file;
    if (options.output === 'json') return printJson(io, { file, policy: policy.document });
    const { stringify } = await import('yaml');
    printLines(io, [`# ${file}`, ...stringify(policy.document, { lineWidth: 0 }).trimEnd().split('\n')]);
  });
}

function reloadCommand({ io }: CommandContext): Command {
  const command = new Command('reload')
    .summary('see whether workers take the policies as they are now')
    .description(
      'Reads the policies as workers do, and prints their revision, which is in the records of decisions. Workers take a change by themselves with their next batch, and schedules within a minute; while policies have faults the earlier ones stay in force.',
    );
  examples(withPlace(command), ['gate images policies reload']);
  return command.action(async (options: PolicyOptions) => {
    const { set, revision, isEnabled } = await opened(io, options);
    if (!isEnabled)
      throw new CliExit(ExitCode.usage, 'policy.enabled is false: workers with these settings use no policies');
    const taken = { policies: set.policies.length, revision: revision(set) };
    if (options.output === 'json') return printJson(io, taken);
    printLines(io, [`${counted(taken.policies)}, revision ${taken.revision}`]);
  });
}

function counted(policies: number): string {
  return `${policies} ${policies === 1 ? 'policy' : 'policies'}`;
}
