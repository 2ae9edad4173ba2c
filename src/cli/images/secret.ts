import { Command } from 'commander';
import { CliExit, ExitCode, type CommandContext, type CommandIo } from '../io';
import { collect, examples, withOutput, withSettings, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';

/** `gate images secret`: values that documents hold encrypted by age. */
export function imagesSecretCommand(context: CommandContext): Command {
  return new Command('secret')
    .summary('values that settings and policies hold encrypted')
    .description(
      'Credentials in settings and image policies may be encrypted by age (https://age-encryption.org); they are decrypted where they are used.',
    )
    .addCommand(encryptCommand(context))
    .addCommand(checkCommand(context))
    .addCommand(keygenCommand(context));
}

interface EncryptOptions {
  settings?: string;
  recipient?: string[];
  armor?: boolean;
}

function encryptCommand({ io }: CommandContext): Command {
  const command = new Command('encrypt')
    .summary('encrypt a value for a settings or policy file')
    .description(
      'Reads a secret from standard input, from a terminal without showing it, and prints it encrypted: put that into the file, in settings as { encrypted: … }. White space around the secret does not count.',
    )
    .option(
      '--recipient <key>',
      'whom it is encrypted for, such as age1…; may be given several times; by default secrets.recipients of the settings, else the identities of secrets.identityFile',
      collect,
    )
    .option('--armor', 'in the lines of an armoured age file, instead of one line');
  examples(withSettings(command), ['gate images secret encrypt --recipient age1… < token.txt']);
  return command.action(async ({ settings, recipient, armor }: EncryptOptions) => {
    const recipients = recipient ?? (await recipientsOfSettings(io, settings));
    const [{ readHiddenInput }, { encryptSecret }] = await Promise.all([
      import('../hidden-input.js'),
      import('../../platform/files/encrypt-text.js'),
    ]);
    const secret = await readHiddenInput(io, 'secret: ');
    io.data.write(`${await encryptSecret(secret, recipients, armor)}\n`);
  });
}

async function recipientsOfSettings(io: CommandIo, settings: string | undefined): Promise<readonly string[]> {
  const [{ openLoadedSettings }, { secretDeps }, { recipientsOf }] = await Promise.all([
    import('../open-settings.js'),
    import('../../settings/secret-deps.js'),
    import('../../platform/files/encrypt-text.js'),
  ]);
  const loaded = await openLoadedSettings(io, settings);
  const { recipients } = loaded.settings.secrets;
  if (recipients.length > 0) return recipients;
  const { identityFile } = secretDeps(loaded, io.env);
  if (identityFile === undefined)
    throw new CliExit(
      ExitCode.usage,
      'expected --recipient, or settings with secrets.recipients or secrets.identityFile',
    );
  return recipientsOf(identityFile).catch((error: unknown) => {
    throw new CliExit(ExitCode.usage, (error as Error).message);
  });
}

function checkCommand({ io }: CommandContext): Command {
  const command = new Command('check')
    .summary('see whether the encrypted values can be decrypted')
    .description(
      'Decrypts every encrypted value of the settings and of their image policies, prints none of them, and names each that cannot be decrypted by secrets.identityFile, with its place.',
    );
  examples(withOutput(withSettings(command)), ['gate images secret check --settings settings.yaml']);
  return command.action(async ({ settings, output }: CommonOptions) => {
    const [{ openLoadedSettings }, { policyPlaces }, { openPolicyPlaces }, { checkSecrets }, { faultsToError }] =
      await Promise.all([
        import('../open-settings.js'),
        import('../../images/service/policy-places.js'),
        import('./policies-place.js'),
        import('../../images/service/check-secrets.js'),
        import('../../kernel/failures.js'),
      ]);
    const loaded = await openLoadedSettings(io, settings);
    const { path, more } = policyPlaces(loaded);
    const isNowhere = path === undefined && more.length === 0;
    const set = isNowhere ? NO_POLICIES : await (await openPolicyPlaces(io, { settings })).load();
    const { values, faults } = await checkSecrets(loaded, set);
    if (faults.length > 0) throw faultsToError(faults);
    if (output === 'json') return printJson(io, { values });
    printLines(io, [`${values} encrypted ${values === 1 ? 'value' : 'values'}, no faults`]);
  });
}

const NO_POLICIES = { policies: [], places: new Map<string, never>() };

function keygenCommand({ io }: CommandContext): Command {
  const command = new Command('keygen')
    .summary('make an identity')
    .description(
      'Writes a new identity into a file that its owner alone can read, as age-keygen does, and prints its recipient. A file that is there already stays as it is.',
    )
    .argument('<file>', 'where to, such as identity.txt');
  examples(withOutput(command), ['gate images secret keygen identity.txt']);
  return command.action(async (file: string, { output }: CommonOptions) => {
    const [{ resolve }, { writeIdentity }] = await Promise.all([
      import('node:path'),
      import('../../platform/files/encrypt-text.js'),
    ]);
    const recipient = await writeIdentity(resolve(io.cwd, file));
    if (output === 'json') return printJson(io, { file, recipient });
    printLines(io, [recipient]);
  });
}
