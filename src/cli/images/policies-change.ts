import { Command } from 'commander';
import type { ImagePolicySet } from '../../images/policies/image-policy';
import { GateError } from '../../kernel/failures';
import { userAsActor } from '../actor';
import { CliExit, ExitCode, type CommandContext, type CommandIo } from '../io';
import { examples, saidText, withOutput, withSettings, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { noPolicy, openPolicyPlaces, sayWhoMayWrite, type OpenedPolicies } from './policies-place';

const OF_POLICIES = /\.(?:ya?ml|json)$/i;

interface ChangeOptions extends CommonOptions {
  actor?: string;
  reason: string;
}

/** `gate images policies apply -f FILE`: puts a file into the folder, in place of the one of the same name. */
export function policiesApplyCommand({ io }: CommandContext): Command {
  const command = new Command('apply')
    .summary('put a file of policies into the folder')
    .description(
      'Puts a file into the folder of the settings, in place of the one of the same name, whole or not at all, once all policies of the folder are seen to have no faults with it. Each policy that changes is in the audit log before.',
    )
    .requiredOption('-f, --file <path>', 'a YAML or JSON file of policies');
  examples(withChange(command), ['gate images policies apply -f production.yaml --reason "mirror prod tags"']);
  return command.action(async (options: ChangeOptions & { file: string }) => {
    const places = await openPolicyPlaces(io, options);
    const [{ resolve, basename, join }, { readBytes, decodeText }, { stat }] = await Promise.all([
      import('node:path'),
      import('../../platform/documents/loaders/read-bytes.js'),
      import('node:fs/promises'),
    ]);
    const from = resolve(io.cwd, options.file);
    if (!OF_POLICIES.test(from) || basename(from).startsWith('.'))
      throw new CliExit(ExitCode.usage, `expected a file that ends in .yaml, .yml or .json, got ${options.file}`);
    const { IMAGE_POLICY_LIMITS } = await import('../../images/limits.js');
    const text = decodeText(from, await readBytes(from, IMAGE_POLICY_LIMITS.fileBytes));
    const path = pathOf(places);
    const known = await stat(path).catch(() => undefined);
    if (known === undefined && !OF_POLICIES.test(path))
      throw new CliExit(ExitCode.usage, `${path}: expected a folder of policies, but there is none: create it first`);
    await change(io, places, options, known?.isDirectory() === true ? join(path, basename(from)) : path, text);
  });
}

/** `gate images policies delete ID`. */
export function policiesDeleteCommand({ io }: CommandContext): Command {
  const command = new Command('delete')
    .summary('delete one policy')
    .description(
      'Takes a policy out of its file, and deletes a file that has no other. Comments in YAML stay. The change is in the audit log before.',
    )
    .argument('<id>', 'its id');
  examples(withChange(command), ['gate images policies delete production-replication --reason "moved elsewhere"']);
  return command.action(async (id: string, options: ChangeOptions) => {
    const places = await openPolicyPlaces(io, options);
    const [{ readBytes, decodeText }, { withoutPolicy }, { IMAGE_POLICY_LIMITS }] = await Promise.all([
      import('../../platform/documents/loaders/read-bytes.js'),
      import('../../images/sources/change-policies.js'),
      import('../../images/limits.js'),
    ]);
    const set = await places.load();
    if (!set.byId.has(id)) throw await noPolicy(set, id);
    const file = set.places.get(id)!.file;
    const path = pathOf(places);
    if (file !== path && !file.startsWith(`${path}/`))
      throw new CliExit(ExitCode.usage, `${id} is in ${file}, which this command does not change`);
    const text = decodeText(file, await readBytes(file, IMAGE_POLICY_LIMITS.fileBytes));
    await change(io, places, options, file, withoutPolicy(file, text, id));
  });
}

function withChange(command: Command): Command {
  return withOutput(withSettings(command))
    .requiredOption('--reason <text>', 'why', saidText)
    .option('--actor <name>', 'who acts; by default the user of this computer', saidText);
}

/** @throws CliExit 2 for settings whose policies are in no file */
function pathOf({ path }: OpenedPolicies): string {
  if (path !== undefined) return path;
  throw new CliExit(
    ExitCode.usage,
    'expected settings with policy.configPath: policies of the settings are not changed',
  );
}

async function change(
  io: CommandIo,
  places: OpenedPolicies,
  { actor = userAsActor(), reason, output }: ChangeOptions,
  file: string,
  text: string | undefined,
): Promise<void> {
  const [{ changesBetween, changeFile, policyChangeRecord }, { openAudit }] = await Promise.all([
    import('../../images/sources/change-policies.js'),
    import('../../audit/stores/open-audit.js'),
  ]);
  const after = await places.load({ file, text });
  const changes = changesBetween(await asTheyAre(places), after);
  if (changes.length > 0) {
    const audit = await openAudit(places.loaded, io.env);
    try {
      await changeFile(file, text, async () => {
        for (const one of changes) await audit.record(policyChangeRecord(one, { actor, reason, file }, Date.now()));
      });
    } finally {
      await audit.close();
    }
  }
  sayWhoMayWrite(io, places);
  const revision = places.revision(after);
  if (output === 'json') return printJson(io, { file, changes, revision });
  printLines(io, [
    ...changes.map(({ id, kind }) => `${id} ${kind}`),
    ...(changes.length === 0 ? ['unchanged'] : []),
    `revision ${revision}`,
  ]);
}

/** None where what is there has faults, which the change may mend. */
async function asTheyAre(places: OpenedPolicies): Promise<ImagePolicySet> {
  try {
    return await places.load();
  } catch (error) {
    if (error instanceof GateError) return { policies: [], byId: new Map(), places: new Map() };
    throw error;
  }
}
