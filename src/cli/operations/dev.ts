import { once } from 'node:events';
import { Command } from 'commander';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { durationOption, examples } from '../options';

export function devCommand({ io }: CommandContext): Command {
  const command = new Command('dev')
    .summary('a whole gate on this machine')
    .description(
      'Starts a Temporal dev server (its database is kept), a worker with the server of rule policies, stand-ins for a LevelServer and a shard manager, and an alert receiver, on loopback. Other commands find them by themselves while it runs. Ctrl-C ends all of it, within a second while it starts.',
    )
    .addOption(durationOption('--recheck-every <duration>', 'how often a waiting stage asks again', '5s'))
    .option(
      '--no-server',
      'only a worker: rule policies are not served, and executions take them from the folder `rules` beside the settings',
    );
  examples(command, ['gate dev', 'gate dev --no-server']);
  return command.action(async ({ recheckEvery, server }: { recheckEvery: number; server: boolean }) => {
    const [{ startDevEnvironment }, { devFolder, readDevAddresses }] = await Promise.all([
      import('../../dev/dev-environment.js'),
      import('../../dev/dev-addresses.js'),
    ]);
    const running = readDevAddresses(io.env);
    if (running)
      throw new CliExit(
        ExitCode.usage,
        `gate dev runs already, as process ${running.pid}; its Temporal UI is at ${running.uiUrl}`,
      );
    const say = (line: string): void => void io.stderr.write(`${line}\n`);
    const { signal } = io;
    const environment = await startDevEnvironment({
      folder: devFolder(io.env),
      env: io.env,
      server,
      release: { recheckEvery: `${recheckEvery}ms` },
      say,
      signal,
    }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    if (environment === undefined) return say('Stopped; nothing is left running.');
    const { addresses } = environment;
    io.results.line(addresses);
    say('Try: gate deploy --id first --stage canary --wait');
    say(
      `Change a level: curl -X PUT ${addresses.levelServer}/admin/metrics/max_pending -H 'content-type: application/json' -d '{"value": 3100}'`,
    );
    if (addresses.server !== undefined) {
      say('Store rule policies: gate rules apply -f FILE --actor NAME --reason TEXT');
      say(`For curl: export SERVER=${addresses.server} SHARD_MANAGER=${addresses.shardManager}`);
    }
    if (!signal.aborted) await Promise.race([once(signal, 'abort'), environment.worker.exited]);
    const failed = !signal.aborted;
    await environment.stop();
    if (failed)
      throw new CliExit(ExitCode.denied, `the worker ended by itself; its log is in ${devFolder(io.env)}/worker.log`);
  });
}
