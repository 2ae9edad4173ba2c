import { Command } from 'commander';
import { ExitCode, type CommandContext } from '../io';
import { examples, withOutput, type CommonOptions } from '../options';
import { colorsFor, printJson, printLines } from '../output';
import { counted, openPolicies } from './policies';

export function rulesTestCommand({ io, exit }: CommandContext): Command {
  const command = new Command('test')
    .summary('run the fixtures beside rule policies')
    .description(
      'Runs the cases of all *.test.yaml and *.test.json files in the folder: each has a state and what the policies should come to. Exit code 1 when a case fails or there is none.',
    )
    .argument('<path>', 'folder of policies, or one of its files');
  examples(withOutput(command), ['gate rules test rules']);
  return command.action(async (path: string, { output }: CommonOptions) => {
    const [{ runFixtures }, { stat }, { dirname, relative, resolve }, { domain, set }] = await Promise.all([
      import('../../rules/sources/run-fixtures.js'),
      import('node:fs/promises'),
      import('node:path'),
      openPolicies(io, path),
    ]);
    const full = resolve(io.cwd, path);
    const folder = (await stat(full)).isDirectory() ? full : dirname(full);
    const { cases, untested } = await runFixtures(folder, set, domain, Date.now());
    const shown = cases.map((one) => ({ ...one, file: relative(io.cwd, one.file) }));
    const failed = cases.filter(({ passed }) => !passed).length;
    if (output === 'json') printJson(io, { cases: shown, passed: cases.length - failed, failed, untested });
    else {
      const colors = colorsFor(io);
      printLines(io, [
        ...shown.flatMap(({ file, name, passed, differences }) => [
          `${passed ? colors.green('passed') : colors.red('FAILED')} ${file}: ${name}`,
          ...differences.map((difference) => `  ${difference}`),
        ]),
        ...(untested.length === 0 ? [] : [`matched in no case: ${untested.join(', ')}`]),
        cases.length === 0
          ? `no fixtures (*.test.yaml, *.test.json) in ${path}`
          : `${counted(cases.length - failed, 'case')} passed, ${failed} failed`,
      ]);
    }
    if (failed > 0 || cases.length === 0) exit(ExitCode.denied);
  });
}
