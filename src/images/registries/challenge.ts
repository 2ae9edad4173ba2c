/** How a registry that answers 401 wants to be asked: RFC 7235 `WWW-Authenticate`, as Docker's token specification uses it. */
export interface Challenge {
  /** in lower case, `basic` or `bearer` of those that are understood */
  scheme: string;
  /** names in lower case */
  parameters: Readonly<Record<string, string>>;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const PARAMETER = new RegExp(`\\s*,?\\s*(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))`, 'y');
const SCHEME = new RegExp(`\\s*,?\\s*(${TOKEN})(?=\\s|,|$)`, 'y');

/** Every challenge of a header, in its order; what cannot be read ends the reading. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  let at = 0;
  while (at < header.length) {
    SCHEME.lastIndex = at;
    const scheme = SCHEME.exec(header)?.[1];
    if (scheme === undefined) break;
    at = SCHEME.lastIndex;
    const parameters: Record<string, string> = {};
    for (;;) {
      PARAMETER.lastIndex = at;
      const [whole, name, quoted, token] = PARAMETER.exec(header) ?? [];
      if (whole === undefined || name === undefined) break;
      parameters[name.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? token ?? '';
      at += whole.length;
    }
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
  }
  return challenges;
}
