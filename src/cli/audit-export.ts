import { Command, Option } from 'commander';
import type { AuditRecord } from '../audit/audit-record';
import type { CommandContext } from './run';
import { examples, withSettings } from './options';

interface AuditExportOptions {
  deployment?: string;
  stage?: string;
  outcome?: string;
  kind?: string;
  since?: string;
  until?: string;
  policySha?: string;
  version?: string;
  reason?: string;
  limit?: string;
  settings?: string;
  to?: string;
  output: 'jsonl' | 'csv' | 'opa';
}

export function auditExportCommand({ io }: CommandContext): Command {
  const command = new Command('export')
    .summary('all records that match, oldest first')
    .description('Writes all audit records that match, oldest first, a page at a time; their number goes to stderr.')
    .option('--deployment <id>', 'of this deployment')
    .option('--stage <name>', 'of this stage')
    .option('--outcome <outcome>', 'allow, deny or error')
    .option('--kind <kind>', 'decision, override, resume, abort, pause or resolved')
    .option('--since <time>', 'RFC 3339, or a duration back from now such as 30d')
    .option('--until <time>', 'RFC 3339, or a duration back from now')
    .option('--policy-sha <sha>', 'made under this policy')
    .option('--version <version>', 'made under the release of this version')
    .option('--reason <code>', 'denied with this reason code')
    .option('--limit <n>', 'at most this many, 1 to 10000')
    .option('--to <file>', 'file to write, whole or not at all; stdout by default')
    .addOption(
      new Option('-o, --output <format>', 'opa: events of OPA’s decision log, of decisions alone')
        .choices(['jsonl', 'csv', 'opa'])
        .default('jsonl'),
    );
  examples(withSettings(command), ['gate audit export --since 30d --to decisions.jsonl']);
  return command.action(async (options: AuditExportOptions) => {
    const [{ parseAuditQuery }, { streamRecords }, { openAudit }, { openLoadedSettings }, { openExport }, formats] =
      await Promise.all([
        import('../audit/query.js'),
        import('../audit/stream-records.js'),
        import('./open-audit.js'),
        import('./open-settings.js'),
        import('./export-target.js'),
        openFormat(options.output),
      ]);
    const query = parseAuditQuery(
      {
        deploymentID: options.deployment,
        stage: options.stage,
        outcome: options.outcome,
        kind: options.kind,
        since: options.since,
        until: options.until,
        policySHA: options.policySha,
        manifestVersion: options.version,
        reasonCode: options.reason,
        limit: options.limit,
        newestFirst: 'false',
      },
      Date.now(),
    );
    const reader = await openAudit(io, await openLoadedSettings(io, options.settings));
    try {
      const target = await openExport(io, options.to);
      let written = 0;
      try {
        await target.write(formats.head);
        for await (const record of streamRecords(reader, query)) {
          const line = formats.toLine(record);
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
    } finally {
      await reader.close();
    }
  });
}

async function openFormat(
  format: AuditExportOptions['output'],
): Promise<{ head: string; toLine(record: AuditRecord): string | undefined }> {
  if (format === 'csv') {
    const { CSV_HEAD, toCsvLine } = await import('../audit/to-csv.js');
    return { head: CSV_HEAD, toLine: toCsvLine };
  }
  if (format === 'jsonl') return { head: '', toLine: (record) => `${JSON.stringify(record)}\n` };
  const { toOpaEvent } = await import('../audit/to-opa-event.js');
  return {
    head: '',
    toLine(record) {
      const event = toOpaEvent(record);
      return event && `${JSON.stringify(event)}\n`;
    },
  };
}
