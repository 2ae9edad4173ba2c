import { Command } from 'commander';
import type { AuditReader } from '../audit/audit-reader';
import type { AuditRecord } from '../audit/audit-record';
import { auditExportCommand } from './audit-export';
import { auditSetupCommand } from './audit-setup';
import { CliExit, ExitCode } from './io';
import { examples, withOutput, withSettings, type CommonOptions } from './options';
import { printJson, printTable } from './output';
import type { CommandContext } from './run';

interface AuditListOptions extends CommonOptions {
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
  oldestFirst?: boolean;
}

export function auditCommand(context: CommandContext): Command {
  return new Command('audit')
    .summary('what was decided and done')
    .description(
      'Reads the audit log: from DynamoDB, PostgreSQL, or from the embedded store through the worker that owns it.',
    )
    .addCommand(listCommand(context))
    .addCommand(showCommand(context))
    .addCommand(auditExportCommand(context))
    .addCommand(auditSetupCommand(context));
}

function listCommand({ io }: CommandContext): Command {
  const command = new Command('list')
    .summary('records, newest first')
    .description('Audit records, newest first.')
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
    .option('--oldest-first', 'in the order in which they were made');
  examples(withOutput(withSettings(command)), [
    'gate audit list --deployment firmware-1.4.0',
    'gate audit list --outcome deny --since 30d -o json',
  ]);
  return command.action(async (options: AuditListOptions) => {
    const [{ parseAuditQuery }, { AUDIT_COLUMNS, toAuditRows }, { openAudit }, { openLoadedSettings }] =
      await Promise.all([
        import('../audit/query.js'),
        import('../audit/format.js'),
        import('./open-audit.js'),
        import('./open-settings.js'),
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
        newestFirst: options.oldestFirst ? 'false' : undefined,
      },
      Date.now(),
    );
    const reader = await openAudit(io, await openLoadedSettings(io, options.settings));
    try {
      const records = await reader.list(query);
      if (options.output === 'json') printJson(io, records);
      else {
        // The deployment that was asked for stands in the question; the table fits a terminal without it.
        const shown = AUDIT_COLUMNS.map((column) => column !== 'DEPLOYMENT' || options.deployment === undefined);
        const visible = <T>(cells: readonly T[]): T[] => cells.filter((_cell, index) => shown[index]);
        await printTable(io, visible(AUDIT_COLUMNS), toAuditRows(records).map(visible));
      }
    } finally {
      await reader.close();
    }
  });
}

function showCommand({ io }: CommandContext): Command {
  const command = new Command('show')
    .summary('one record, whole')
    .description('One audit record, with the facts that it was made from.')
    .argument('<id>', 'id of the record, or its beginning as `gate audit list` shows it');
  examples(withOutput(withSettings(command)), ['gate audit show 3f1c9a52-7d0e-4f0b-9a55-0c7d3c1f2a10']);
  return command.action(async (id: string, options: CommonOptions) => {
    const [{ toAuditText }, { openAudit }, { openLoadedSettings }] = await Promise.all([
      import('../audit/format.js'),
      import('./open-audit.js'),
      import('./open-settings.js'),
    ]);
    const reader = await openAudit(io, await openLoadedSettings(io, options.settings));
    try {
      const record = (await reader.get(id)) ?? (await findByBeginning(reader, id));
      if (options.output === 'json') printJson(io, record);
      else io.stdout.write(`${toAuditText(record)}\n`);
    } finally {
      await reader.close();
    }
  });
}

const SHORTEST_BEGINNING = 8;
const NEWEST = 10_000;

/** The one record whose id begins so, among the newest. */
async function findByBeginning(reader: AuditReader, beginning: string): Promise<AuditRecord> {
  const found =
    beginning.length < SHORTEST_BEGINNING
      ? []
      : (await reader.list({ limit: NEWEST, newestFirst: true })).filter(({ decisionID }) =>
          decisionID.startsWith(beginning),
        );
  const [record] = found;
  if (!record)
    throw new CliExit(
      ExitCode.usage,
      `no audit record has the id ${beginning}, and of the newest ${NEWEST} none begins with it`,
    );
  if (found.length > 1)
    throw new CliExit(
      ExitCode.usage,
      `${found.length} audit records begin with ${beginning}: ${found.map(({ decisionID }) => decisionID).join(', ')}`,
    );
  return record;
}
