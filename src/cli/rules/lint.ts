import { Command } from 'commander';
import { displayPath } from '../../platform/documents/json-document';
import type { DocumentPlace } from '../../platform/documents/validate';
import type { Finding } from '../../rules/lint/finding';
import { ExitCode, type CommandContext } from '../io';
import { examples, withOutput, type CommonOptions } from '../options';
import { colorsFor, printJson, printLines } from '../output';
import { counted, openPolicies } from './policies';

export function rulesLintCommand({ io, exit }: CommandContext): Command {
  const command = new Command('lint')
    .summary('find what rule policies can hardly mean')
    .description(
      'Finds contradicting conditions, unknown metrics and types, policies that never match or never act, policies that contradict each other, and cases of declared enumerations that no policy covers. Exit code 1 when there is an error, with --strict also for a warning.',
    )
    .argument('<path>', 'file or folder of policies')
    .option('--strict', 'count warnings as errors');
  examples(withOutput(command), ['gate rules lint rules', 'gate rules lint rules --strict -o json']);
  return command.action(async (path: string, { output, strict }: CommonOptions & { strict?: boolean }) => {
    const [{ lintPolicies }, { relative }, { domain, set }] = await Promise.all([
      import('../../rules/lint/lint-policies.js'),
      import('node:path'),
      openPolicies(io, path),
    ]);
    const findings = lintPolicies(set, domain, Date.now()).map((finding) => {
      const place = finding.policy === undefined ? undefined : set.places.get(finding.policy);
      return { ...finding, ...(place === undefined ? {} : placeOf(place, finding, (file) => relative(io.cwd, file))) };
    });
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    const warnings = findings.length - errors;
    if (output === 'json') printJson(io, { findings, errors, warnings });
    else {
      const colors = colorsFor(io);
      const word = { error: colors.red('error'), warning: colors.yellow('warning') };
      printLines(io, [
        ...findings.map((finding) => {
          const where = 'where' in finding ? `${finding.where}: ` : '';
          const policy = finding.policy === undefined ? '' : `${finding.policy}: `;
          return `${word[finding.severity]} ${finding.rule} ${where}${policy}${finding.message}`;
        }),
        `${counted(errors, 'error')}, ${counted(warnings, 'warning')}`,
      ]);
    }
    if (errors > 0 || (strict === true && warnings > 0)) exit(ExitCode.denied);
  });
}

/** The nearest thing that stands in the policy's own file: what it inherits or includes stands elsewhere. */
function placeOf(
  { file, lineOf }: DocumentPlace,
  { pointer }: Finding,
  shown: (file: string) => string,
): { where: string; path?: string } {
  const line = lineOf?.(pointer);
  const where = line === undefined ? shown(file) : `${shown(file)}:${line}`;
  return pointer === '' ? { where } : { where, path: displayPath(pointer) };
}
