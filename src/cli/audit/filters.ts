import type { Command } from 'commander';
import type { AuditQuery } from '../../audit/audit-record';

/** What of a record is asked for. */
export interface AuditFilters {
  domain?: string;
  subject?: string;
  part?: string;
  deployment?: string;
  stage?: string;
  outcome?: string;
  kind?: string;
  policySha?: string;
  version?: string;
  reason?: string;
}

/** When it was made, and how many. */
export interface AuditRange {
  since?: string;
  until?: string;
  limit?: string;
}

export function withFilters(command: Command): Command {
  return command
    .option('--deployment <id>', 'of this deployment')
    .option('--stage <name>', 'of this stage')
    .option('--domain <domain>', 'of the gate, rules, plans or images; all when absent')
    .option('--subject <name>', 'about this subject of the domain')
    .option('--part <name>', 'about this part of the subject')
    .option('--outcome <outcome>', 'allow, deny or error')
    .option('--kind <kind>', 'what a record tells of, such as decision, override, ended or updated')
    .option('--policy-sha <sha>', 'made under this policy')
    .option('--version <version>', 'made under the release of this version')
    .option('--reason <code>', 'denied with this reason code');
}

export function withRange(command: Command): Command {
  return command
    .option('--since <time>', 'RFC 3339, or a duration back from now such as 30d')
    .option('--until <time>', 'RFC 3339, or a duration back from now')
    .option('--limit <n>', 'at most this many, 1 to 10000');
}

/** @throws GateError ConfigInvalid with every fault */
export async function queryOf(options: AuditFilters & AuditRange, newestFirst: boolean): Promise<AuditQuery> {
  const { parseAuditQuery } = await import('../../audit/query.js');
  return parseAuditQuery(
    {
      domain: options.domain,
      subject: options.subject,
      part: options.part,
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
      newestFirst: String(newestFirst),
    },
    Date.now(),
  );
}
