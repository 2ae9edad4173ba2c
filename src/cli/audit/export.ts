import { Command, Option } from 'commander';
import { createDamageCount } from './damage';
import { queryOf, withFilters, withRange, type AuditFilters, type AuditRange } from './filters';
import { LINE_FORMATS, lineWriter, type LineFormat } from './lines';
import { examples, withSettings } from '../options';
import { CliExit, ExitCode, type CommandContext } from '../io';

interface AuditExportOptions extends AuditFilters, AuditRange {
  settings?: string;
  to?: string;
  output: LineFormat;
}

export function auditExportCommand({ io }: CommandContext): Command {
  const command = new Command('export')
    .summary('all records that match, oldest first')
    .description('Writes all audit records that match, oldest first, a page at a time; their number goes to stderr.');
  withRange(withFilters(command))
    .option('--to <file>', 'file to write, whole or not at all; stdout by default, and as -')
    .addOption(
      new Option('-o, --output <format>', 'opa: events of OPA’s decision log, of decisions alone')
        .choices(LINE_FORMATS)
        .default('jsonl'),
    );
  examples(withSettings(command), ['gate audit export --since 30d --to decisions.jsonl']);
  return command.action(async (options: AuditExportOptions) => {
    const [{ streamRecords }, { openAudit }, { openLoadedSettings }, { openExport }, { head, toLine }, query] =
      await Promise.all([
        import('../../audit/stream-records.js'),
        import('../../audit/stores/open-audit.js'),
        import('../open-settings.js'),
        import('./export-target.js'),
        lineWriter(options.output),
        queryOf(options, false),
      ]);
    const reader = await openAudit(await openLoadedSettings(io, options.settings), io.env);
    try {
      // Asked before the file is there, so that no half of it is left by a Ctrl-C.
      const { signal } = io;
      const target = await openExport(io, options.to);
      const damage = createDamageCount();
      let written = 0;
      try {
        await target.write(head);
        for await (const record of streamRecords(reader, query)) {
          if (target.isLeft()) return;
          if (signal.aborted) throw new CliExit(ExitCode.timeout, `stopped after ${written} records`);
          const line = toLine(damage.seen(record));
          if (line === undefined) continue;
          await target.write(line);
          written += 1;
        }
        await target.finish();
      } catch (error) {
        await target.discard();
        throw error;
      }
      io.stderr.write(`${written} records\n`);
      damage.finish();
    } finally {
      await reader.close();
    }
  });
}
