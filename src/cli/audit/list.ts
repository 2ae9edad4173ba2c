import { Command, Option } from 'commander';
import type { AuditRecord } from '../../audit/audit-record';
import { quoted } from '../command-json';
import { createDamageCount } from './damage';
import { queryOf, withFilters, withRange, type AuditFilters, type AuditRange } from './filters';
import { LINE_FORMATS, lineWriter, type LineFormat } from './lines';
import type { CommandIo, CommandContext } from '../io';
import { examples, withSettings } from '../options';
import { printJson, printTable } from '../output';

interface AuditListOptions extends AuditFilters, AuditRange {
  oldestFirst?: boolean;
  settings?: string;
  output: 'text' | 'json' | LineFormat;
}

export function auditListCommand({ io }: CommandContext): Command {
  const command = new Command('list')
    .summary('records, newest first')
    .description('Audit records, newest first; 100 of them unless --limit says otherwise.');
  withRange(withFilters(command))
    .option('--oldest-first', 'in the order in which they were made')
    .addOption(
      new Option('-o, --output <format>', 'how they are printed; opa: events of OPA’s decision log, of decisions alone')
        .choices(['text', 'json', ...LINE_FORMATS])
        .default('text'),
    );
  examples(withSettings(command), [
    'gate audit list --deployment firmware-1.4.0',
    'gate audit list --outcome deny --since 30d -o csv',
  ]);
  return command.action(async (options: AuditListOptions) => {
    const [{ openAudit }, { openLoadedSettings }, query] = await Promise.all([
      import('../../audit/stores/open-audit.js'),
      import('../open-settings.js'),
      queryOf(options, !options.oldestFirst),
    ]);
    const reader = await openAudit(await openLoadedSettings(io, options.settings), io.env);
    try {
      const damage = createDamageCount();
      await print(io, (await reader.list(query)).map(damage.seen), options);
      damage.finish();
    } finally {
      await reader.close();
    }
  });
}

async function print(io: CommandIo, records: readonly AuditRecord[], options: AuditListOptions): Promise<void> {
  const { output, deployment } = options;
  if (output === 'json') return printJson(io, quoted(records));
  if (output !== 'text') {
    const { head, toLine } = await lineWriter(output);
    io.data.write(`${head}${records.map((record) => toLine(record) ?? '').join('')}`);
    return;
  }
  const { AUDIT_COLUMNS, toAuditRows } = await import('../../audit/format.js');
  // The caller named the deployment; the table fits a terminal without it.
  const shown = AUDIT_COLUMNS.map((column) => column !== 'DEPLOYMENT' || deployment === undefined);
  const visible = <T>(cells: readonly T[]): T[] => cells.filter((_cell, index) => shown[index]);
  await printTable(io, visible(AUDIT_COLUMNS), toAuditRows(records).map(visible));
}
