import { Command } from 'commander';
import type { ReleaseEvent } from '../../releases/publishing/release-events';
import type { CommandContext } from '../io';
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
    const [{ openLoadedSettings }, { listReleaseEvents }] = await Promise.all([
      import('../open-settings.js'),
      import('../../releases/publishing/list-release-events.js'),
    ]);
    const settings = await openLoadedSettings(io, options.settings);
    const events = await listReleaseEvents({ settings, to: options.to, cwd: io.cwd, onUnreadable: unreadableNote(io) });
    if (options.output === 'json') return printJson(io, events.map(toRow));
    await printTable(
      io,
      ['', 'version', 'action', 'by', 'at', 'policy', 'config'],
      events.map(({ inForce, tookEffect, manifest, action, by, at }) => [
        inForce ? '*' : '',
        manifest.version,
        tookEffect ? action : `${action}, without effect`,
        by,
        at,
        shortSha(manifest.policySHA256 ?? ''),
        shortSha(manifest.configSHA256 ?? ''),
      ]),
    );
  });
}

/** One row of `-o json`. */
function toRow({ manifest, action, by, at, inForce, tookEffect, from }: ReleaseEvent) {
  return {
    version: manifest.version,
    action,
    by,
    at,
    in_force: inForce,
    took_effect: tookEffect,
    policy_sha: manifest.policySHA256,
    config_rev: manifest.configSHA256,
    ...(from === undefined ? {} : { from }),
  };
}
