import type { Fault } from './failures';

/** A place in a file, `gate.rego:8:2`, as far as it is known. @param line from 1, as is `column` */
export function placeText(file: string, line: number | undefined, column?: number): string {
  return [file, ...(line === undefined ? [] : [line, ...(column === undefined ? [] : [column])])].join(':');
}

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

/** As `file.yaml:4:3: unknown key x` says the place `file.yaml:4:3 stages[0].x`. */
function says(message: string, where: string): boolean {
  if (message.includes(where)) return true;
  const place = message.slice(0, Math.max(0, message.indexOf(': ')));
  return place !== '' && where.startsWith(`${place} `);
}
