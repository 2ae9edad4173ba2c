import { Command } from 'commander';
import type { AuditRecord } from '../../audit/audit-record';
import type { FoundRecords } from '../../audit/find-records';
import { quoted } from '../command-json';
import { notFound } from '../exit';
import { createDamageCount } from './damage';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { examples, withOutput, withSettings, type CommonOptions } from '../options';
import { printJson } from '../output';

export function auditShowCommand({ io }: CommandContext): Command {
  const command = new Command('show')
    .summary('one record, whole')
    .description('One audit record, with the facts that it was made from.')
    .argument('<id>', 'id of the record, or its beginning as `gate audit list` shows it');
  examples(withOutput(withSettings(command)), ['gate audit show 3f1c9a52-7d0e-4f0b-9a55-0c7d3c1f2a10']);
  return command.action(async (id: string, options: CommonOptions) => {
    const [{ findRecords }, { toAuditText }, { openAudit }, { openLoadedSettings }] = await Promise.all([
      import('../../audit/find-records.js'),
      import('../../audit/format.js'),
      import('../../audit/stores/open-audit.js'),
      import('../open-settings.js'),
    ]);
    const reader = await openAudit(await openLoadedSettings(io, options.settings), io.env);
    try {
      const damage = createDamageCount();
      const record = damage.seen(theRecord(await findRecords(reader, id), id));
      if (options.output === 'json') printJson(io, quoted(record));
      else io.stdout.write(`${toAuditText(record)}\n`);
      damage.finish();
    } finally {
      await reader.close();
    }
  });
}

/** @throws CliExit 2 unless there is exactly one record of that id or beginning */
function theRecord({ found, searched }: FoundRecords, id: string): AuditRecord {
  const [record] = found;
  if (!record) throw notFound(`no audit record has the id ${id}, and of the newest ${searched} none begins with it`);
  if (found.length === 1) return record;
  const ids = found.map(({ decisionID }) => decisionID).join(', ');
  throw new CliExit(ExitCode.usage, `${found.length} audit records begin with ${id}: ${ids}`);
}
