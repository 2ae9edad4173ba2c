import { AlertStatus, type Alert } from './alert';

/** Body of Slack's incoming webhook: https://docs.slack.dev/reference/block-kit/blocks */
export interface SlackMessage {
  /** shown in notifications */
  text: string;
  blocks: SlackBlock[];
}

export type SlackBlock =
  | { type: 'section'; text: SlackText }
  | { type: 'section'; fields: SlackText[] }
  | { type: 'context'; elements: SlackText[] };

export interface SlackText {
  type: 'mrkdwn';
  text: string;
  /** keeps Slack from making links and mentions of what looks like one */
  verbatim: true;
}

/** Slack's limits in characters: a longer text has the whole message refused with `invalid_blocks`. */
export const SLACK_LIMITS = { text: 3000, section: 3000, field: 2000 } as const;

const CUT = '… (cut)';

/** @param uiUrl address of the Temporal UI, named at the end of the message when given */
export function toSlack(alert: Alert, uiUrl?: string): SlackMessage {
  const title = `${statusMark(alert)} ${escapeSlack(alert.summary)}`;
  const fields = [
    ['Deployment', alert.deploymentId],
    ['Stage', alert.stage],
    ['Reason', alert.pauseReason],
  ].filter((field): field is [string, string] => field[1] !== undefined);
  const context = [`${alert.name} since ${new Date(alert.startsAtMs).toISOString()}`, `id ${alert.fingerprint}`];
  if (alert.reminder > 0) context.push(`reminder ${alert.reminder}`);
  if (uiUrl !== undefined) context.push(uiUrl);

  const blocks: SlackBlock[] = [{ type: 'section', text: mrkdwn(`*${cut(title, SLACK_LIMITS.section - 2)}*`) }];
  if (fields.length > 0) {
    blocks.push({
      type: 'section',
      fields: fields.map(([name, value]) => mrkdwn(cut(`*${name}*\n${escapeSlack(value)}`, SLACK_LIMITS.field))),
    });
  }
  // Slack refuses an empty text.
  if (alert.description.trim() !== '') {
    blocks.push({ type: 'section', text: mrkdwn(cut(escapeSlack(alert.description), SLACK_LIMITS.section)) });
  }
  blocks.push({ type: 'context', elements: [mrkdwn(cut(escapeSlack(context.join(' · ')), SLACK_LIMITS.field))] });
  return { text: cut(title, SLACK_LIMITS.text), blocks };
}

/** The three characters that Slack reads as markup; with them go mentions such as `<!channel>` and hidden links. */
export function escapeSlack(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/** At most `limit` UTF-16 units of an escaped text; never ends within an entity or a surrogate pair. */
export function cut(escaped: string, limit: number): string {
  if (escaped.length <= limit) return escaped;
  return (
    escaped
      .slice(0, limit - CUT.length)
      .replace(/&[a-z]{0,3}$/, '')
      .replace(/[\uD800-\uDBFF]$/, '') + CUT
  );
}

function statusMark(alert: Alert): string {
  if (alert.status === AlertStatus.resolved) return 'RESOLVED:';
  return alert.reminder > 0 ? 'STILL FIRING:' : 'FIRING:';
}

function mrkdwn(text: string): SlackText {
  return { type: 'mrkdwn', text, verbatim: true };
}
