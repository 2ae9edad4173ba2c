import { Command } from 'commander';
import type { AuditReader } from '../../audit/audit-reader';
import type { AuditRecord } from '../../audit/audit-record';
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
    const [{ toAuditText }, { openAudit }, { openLoadedSettings }] = await Promise.all([
      import('../../audit/format.js'),
      import('../../audit/stores/open-audit.js'),
      import('../open-settings.js'),
    ]);
    const reader = await openAudit(await openLoadedSettings(io, options.settings), io.env);
    try {
      const damage = createDamageCount();
      const record = damage.seen((await reader.get(id)) ?? (await findByBeginning(reader, id)));
      if (options.output === 'json') printJson(io, record);
      else io.stdout.write(`${toAuditText(record)}\n`);
      damage.finish();
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
