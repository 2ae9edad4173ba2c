import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import type { AuditReader } from '../../audit/audit-reader';
import type { AuditRecord } from '../../audit/audit-record';
import type { LoadedSettings } from '../../settings/load-settings';
import { createDamageCount } from './damage';
import { queryOf, withFilters, type AuditFilters } from './filters';
import { LINE_FORMATS, lineWriter, type LineFormat } from './lines';
import type { CommandContext, CommandIo } from '../io';
import { countOrNone, durationOption, examples, withSettings } from '../options';

interface AuditTailOptions extends AuditFilters {
  lines: number;
  for?: number;
  settings?: string;
  output: 'text' | LineFormat;
}

const LOOK_EVERY_MS = 2_000;
const LOOK_AT_MOST_EVERY_MS = 30_000;

export function auditTailCommand({ io }: CommandContext): Command {
  const command = new Command('tail')
    .summary('the newest records, and those to come')
    .description(
      'Prints the newest records, oldest first, and then each one that comes, until Ctrl-C. A store that fails meanwhile is asked again; each record is printed once.',
    )
    .option('-n, --lines <n>', 'begin with so many, 0 to 10000', countOrNone, 10)
    .addOption(durationOption('--for <duration>', 'end after this long'));
  withFilters(command).addOption(
    new Option('-o, --output <format>', 'how they are printed; opa: events of OPA’s decision log, of decisions alone')
      .choices(['text', ...LINE_FORMATS])
      .default('text'),
  );
  examples(withSettings(command), [
    'gate audit tail --outcome deny',
    'gate audit tail -n 0 -o jsonl --deployment firmware-1.4.0',
  ]);
  return command.action(async (options: AuditTailOptions) => {
    const { openLoadedSettings } = await import('../open-settings.js');
    const loaded = await openLoadedSettings(io, options.settings);
    const { withSignal } = await import('../../platform/timers/with-signal.js');
    await withSignal({ timeoutMs: options.for, signals: [io.signal] }, (ends) => tail(io, loaded, options, ends));
  });
}

async function tail(
  io: CommandIo,
  loaded: LoadedSettings,
  options: AuditTailOptions,
  ends: AbortSignal,
): Promise<void> {
  const [{ createFollower }, { openFollowedLog }, query] = await Promise.all([
    import('../../audit/follow-records.js'),
    import('../../audit/stores/open-followed-log.js'),
    queryOf(options, false),
  ]);
  const { newestFirst: _order, ...filters } = query;
  const follower = createFollower(filters);
  const log = await openFollowedLog(loaded, io.env);
  try {
    const newest = (reader: AuditReader) => follower.begin(reader, Date.now(), options.lines);
    const begun = await log.first(newest);
    const damage = createDamageCount();
    const show = await printer(io, options.output);
    const print = (record: AuditRecord): void => show(damage.seen(record));
    begun.forEach(print);

    let everyMs = LOOK_EVERY_MS;
    while (await passes(everyMs, ends)) {
      try {
        await log.again(async (reader) => {
          for await (const record of follower.look(reader, Date.now())) print(record);
        });
        if (everyMs > LOOK_EVERY_MS) io.stderr.write('the audit log can be read again\n');
        everyMs = LOOK_EVERY_MS;
      } catch (error) {
        if (everyMs === LOOK_EVERY_MS) io.stderr.write(`${(error as Error).message}; asking again\n`);
        everyMs = Math.min(everyMs * 2, LOOK_AT_MOST_EVERY_MS);
      }
    }
    damage.finish();
  } finally {
    await log.close();
  }
}

async function printer(io: CommandIo, format: AuditTailOptions['output']): Promise<(record: AuditRecord) => void> {
  if (format !== 'text') {
    const { head, toLine } = await lineWriter(format);
    io.data.write(head);
    return (record) => void io.data.write(toLine(record) ?? '');
  }
  const [{ AUDIT_COLUMNS, toAuditRows }, { growingTable }] = await Promise.all([
    import('../../audit/format.js'),
    import('../growing-table.js'),
  ]);
  const row = growingTable(io, AUDIT_COLUMNS);
  return (record) => toAuditRows([record]).forEach(row);
}

/** False when the end comes first. */
async function passes(forMs: number, ends: AbortSignal): Promise<boolean> {
  try {
    await sleep(forMs, undefined, { signal: ends });
    return true;
  } catch {
    return false;
  }
}
