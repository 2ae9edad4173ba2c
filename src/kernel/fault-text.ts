import type { Fault } from './failures';

/** One line about a fault, whose message says by itself what is wrong and with what. */
export function faultText({ type, message }: Pick<Fault, 'type' | 'message'>): string {
  return `${type}: ${message}`;
}

/** The same of a fault in a file or document: its place comes first, unless the message names it. */
export function placedFaultText(fault: Fault): string {
  return `${fault.type}: ${placedMessage(fault)}`;
}

/** A fault's message with its place before it, unless the message names the place. */
export function placedMessage({ where, message }: Pick<Fault, 'where' | 'message'>): string {
  return where === undefined || says(message, where) ? message : `${where}: ${message}`;
}

/** As `file.yaml:4: unknown key x` says the place `file.yaml:4 stages[0].x`. */
function says(message: string, where: string): boolean {
  if (message.includes(where)) return true;
  const place = message.slice(0, Math.max(0, message.indexOf(': ')));
  return place !== '' && where.startsWith(`${place} `);
}
