/** An e-mail address (RFC 2821, 4.1.2). */
export interface Mailbox {
  local: string;
  domain: string;
}

// characters beyond ASCII were refused before
const QUOTED = /^"((?:\\[\x01-\x09\x0b\x0c\x0e-\x7f]|[\x01-\x08\x0b\x0c\x0e-\x1f\x20\x21\x23-\x5b\x5d-\x7f])*)"/; // eslint-disable-line no-control-regex
const ATOMS = /^(?:\\[\s\S]|[0-9A-Za-z!#$%&'*+\-/=?^_`{|}~.])+/;

/** Go's `parseRFC2821Mailbox`, with its exceptions; undefined where the text is no address. */
export function parseMailbox(text: string): Mailbox | undefined {
  const quoted = QUOTED.exec(text);
  const atoms = text.startsWith('"') ? null : ATOMS.exec(text);
  const written = quoted?.[1] ?? atoms?.[0];
  if (written === undefined) return undefined;
  const local = written.replace(/\\([\s\S])/g, '$1');
  if (atoms && (local.startsWith('.') || local.endsWith('.') || local.includes('..'))) return undefined;
  const rest = text.slice((quoted ?? atoms)![0].length);
  const domain = rest.slice(1);
  return rest.startsWith('@') && isDomain(domain) ? { local, domain } : undefined;
}

/** Go's `domainToReverseLabels`: no label is empty; no text is no label. */
function isDomain(domain: string): boolean {
  return domain === '' || domain.split('.').every((label) => /^[\x21-\x7e]+$/.test(label));
}
