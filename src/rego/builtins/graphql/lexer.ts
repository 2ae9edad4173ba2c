import { BuiltinError } from '../builtin';

/** `name`, `int` and so on for tokens with a text; any other kind is the punctuation itself. */
export interface Token {
  kind: string;
  /** empty for punctuation, as in OPA's parser */
  text: string;
}

export const END: Token = { kind: 'end', text: '' };

const PUNCTUATION = '!$&():=@[]{}|';
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  ...{ '"': '"', '/': '/', '\\': '\\', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' },
};

/** Reads GraphQL token by token, as `vektah/gqlparser` does, OPA's parser; comments are tokens too. */
export class Lexer {
  private at = 0;

  constructor(private readonly text: string) {}

  /** @throws BuiltinError where no token begins */
  next(): Token {
    this.at += /^[\t ,\n\r\ufeff]*/.exec(this.rest())![0].length;
    if (this.at >= this.text.length) return END;
    const char = this.text[this.at]!;
    if (PUNCTUATION.includes(char)) return this.take(char, char.length, '');
    if (this.text.startsWith('...', this.at)) return this.take('...', 3, '');
    if (char === '#') return this.matched('comment', /#[^\x00-\x08\x0a-\x1f]*/y)!; // eslint-disable-line no-control-regex
    if (/[_A-Za-z]/.test(char)) return this.matched('name', /[_A-Za-z0-9]+/y)!;
    if (/[-0-9]/.test(char)) return this.number();
    if (this.text.startsWith('"""', this.at)) return this.blockString();
    if (char === '"') return this.string();
    throw new BuiltinError(`Cannot parse the unexpected character ${JSON.stringify(char)}`);
  }

  private rest(): string {
    return this.text.slice(this.at);
  }

  private take(kind: string, length: number, text: string): Token {
    this.at += length;
    return { kind, text };
  }

  private matched(kind: string, pattern: RegExp): Token | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    return found === undefined ? undefined : this.take(kind, found.length, found);
  }

  private number(): Token {
    const integer = /-?(?:0(?![0-9])|[1-9][0-9]*)/y;
    integer.lastIndex = this.at;
    const whole = integer.exec(this.text)?.[0];
    if (whole === undefined) throw new BuiltinError('Invalid number, expected digit');
    const fraction = /(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y;
    fraction.lastIndex = this.at + whole.length;
    const part = fraction.exec(this.text)![0];
    const token = this.take(part === '' ? 'int' : 'float', whole.length + part.length, whole + part);
    const isBroken =
      /^\.|^[eE](?![^])/.test(this.text.slice(this.at, this.at + 1)) || /^[eE]/.test(this.text[this.at] ?? '');
    // what follows has to be a whole fraction or exponent
    if (isBroken && !/[eE]/.test(part)) throw new BuiltinError('Invalid number, expected digit');
    return token;
  }

  private string(): Token {
    const parts: string[] = [];
    let at = this.at + 1;
    for (;;) {
      const char = this.text[at];
      if (char === undefined || char === '\n' || char === '\r') throw new BuiltinError('Unterminated string');
      if (char === '"') return this.take('string', at + 1 - this.at, parts.join(''));
      if (char < ' ' && char !== '\t') throw new BuiltinError('Invalid character within String');
      if (char !== '\\') {
        parts.push(char);
        at++;
        continue;
      }
      const name = this.text[at + 1] ?? '';
      const simple = SIMPLE_ESCAPES[name];
      const code = name === 'u' ? /^[0-9a-fA-F]{4}/.exec(this.text.slice(at + 2, at + 6))?.[0] : undefined;
      if (simple === undefined && (code === undefined || at + 6 >= this.text.length)) {
        throw new BuiltinError('Invalid character escape sequence');
      }
      parts.push(simple ?? codePoint(parseInt(code!, 16)));
      at += simple === undefined ? 6 : 2;
    }
  }

  private blockString(): Token {
    const parts: string[] = [];
    let at = this.at + 3;
    for (;;) {
      const char = this.text[at];
      if (char === undefined) throw new BuiltinError('Unterminated string');
      const quotes = char === '"' ? /^"+/.exec(this.text.slice(at, at + 1_000))![0].length : 0;
      if (quotes >= 3) {
        const text = blockStringValue(parts.join('') + '"'.repeat(quotes - 3));
        return this.take('block-string', at + quotes - this.at, text);
      }
      // eslint-disable-next-line no-control-regex -- these are meant
      if (/[\x00-\x08\x0b\x0c\x0e-\x1f]/.test(char)) throw new BuiltinError('Invalid character within String');
      if (this.text.startsWith('\\"""', at)) {
        parts.push('"""');
        at += 4;
      } else if (char === '\r') {
        parts.push('\n');
        at += this.text[at + 1] === '\n' ? 2 : 1;
      } else {
        parts.push(char);
        at++;
      }
    }
  }
}

/** Half of a surrogate pair is no character in Go. */
const codePoint = (code: number) => (code >= 0xd800 && code <= 0xdfff ? '\ufffd' : String.fromCharCode(code));

function blockStringValue(raw: string): string {
  const lines = raw.split('\n');
  const indents = lines.filter((line) => /[^ \t]/.test(line)).map((line) => /^[ \t]*/.exec(line)![0].length);
  const common = indents.reduce((least, indent) => Math.min(least, indent), Infinity);
  const cut = lines.map((line, index) => (index > 0 && common < Infinity ? line.slice(common) : line));
  const isBlank = (line: string | undefined) => line !== undefined && !/[^ \t]/.test(line);
  while (isBlank(cut[0])) cut.shift();
  while (isBlank(cut.at(-1))) cut.pop();
  return cut.join('\n');
}
