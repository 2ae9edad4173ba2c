import { Command } from 'commander';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { examples, withOutput, withSettings, type CommonOptions } from '../options';
import { printJson, printTable, shortSha } from '../output';
import { unreadableNote } from './publish';

export function policyHistoryCommand({ io }: CommandContext): Command {
  const command = new Command('history')
    .summary('which releases a manifest has named')
    .description(
      'Lists what was published, promoted and rolled back, newest first, and marks what is in force. An act is without effect when its publisher died, or was told that it is not confirmed, before the manifest was written.',
    )
    .option('--to <url>', 'manifest; by default that of the settings');
  examples(withOutput(withSettings(command)), ['gate policy history --to s3://bucket/gate/production.json']);
  return command.action(async (options: CommonOptions & { to?: string }) => {
    const [{ openLoadedSettings }, { openManifestPlace }, { readStanding, urlOf }, { readHistory }, { historyRows }] =
      await Promise.all([
        import('../open-settings.js'),
        import('../../releases/publishing/release-place.js'),
        import('../../releases/publishing/published-release.js'),
        import('../../releases/publishing/release-history.js'),
        import('./history-rows.js'),
      ]);
    const place = await openManifestPlace(await openLoadedSettings(io, options.settings), options.to, io.cwd);
    const standing = await readStanding(place);
    if (!standing) throw new CliExit(ExitCode.usage, `expected a manifest at ${urlOf(place)}, found none`);
    const history = await readHistory(place, unreadableNote(io));
    const rows = historyRows(standing, history);
    if (options.output === 'json') return printJson(io, rows);
    await printTable(
      io,
      ['', 'version', 'action', 'by', 'at', 'policy', 'config'],
      rows.map((row) => [
        row.in_force ? '*' : '',
        row.version,
        row.took_effect ? row.action : `${row.action}, without effect`,
        row.by,
        row.at,
        shortSha(row.policy_sha ?? ''),
        shortSha(row.config_rev ?? ''),
      ]),
    );
  });
}
