import { BuiltinError } from '../builtin';

/** What the scanner finds; the words of libyaml. */
export type TokenKind =
  | ('stream-end' | 'version-directive' | 'tag-directive' | 'document-start' | 'document-end')
  | ('block-sequence-start' | 'block-mapping-start' | 'block-end' | 'block-entry')
  | ('flow-sequence-start' | 'flow-sequence-end' | 'flow-mapping-start' | 'flow-mapping-end' | 'flow-entry')
  | ('key' | 'value' | 'alias' | 'anchor' | 'tag' | 'scalar');

export interface Token {
  kind: TokenKind;
  /** of a scalar, an anchor or an alias; the handle of a tag or of its directive; the version of a directive */
  text: string;
  /** of a tag or of its directive */
  suffix: string;
  /** of a scalar */
  isPlain: boolean;
}

interface SimpleKey {
  isPossible: boolean;
  isRequired: boolean;
  /** where its token would be */
  token: number;
  index: number;
  line: number;
  column: number;
}

const DEEPEST = 10_000;
/** from the start of a key to its colon */
const LONGEST_SIMPLE_KEY = 1024;
/** how far go-yaml looks for a comment */
const COMMENT_AHEAD = 511;

const BLANKS = ' \t';
const BREAKS = '\r\n\u0085\u2028\u2029';
const END = '\0';
const isBlank = (char: string) => BLANKS.includes(char);
const isBreak = (char: string) => BREAKS.includes(char);
const isBlankOrEnd = (char: string) => char === END || BLANKS.includes(char) || BREAKS.includes(char);
const isBreakOrEnd = (char: string) => char === END || BREAKS.includes(char);
const isWord = (char: string) => /[0-9A-Za-z_-]/.test(char);

const INDICATORS = '-?:,[]{}#&*!|>\'"%@`';
const FLOW_ENDS = ',?[]{}';
const URI_CHARS = ";/?:@&=+$,.!~*'()[]";

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ '0': '\0', a: '\x07', b: '\b', t: '\t', '\t': '\t', n: '\n', v: '\v', f: '\f', r: '\r', e: '\x1b', ' ': ' ' },
  ...{ '"': '"', "'": "'", '\\': '\\', N: '\u0085', _: '\u00a0', L: '\u2028', P: '\u2029' },
};
const CODE_LENGTH: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/**
 * Splits YAML into tokens exactly as the scanner of go-yaml (a libyaml) does: it is OPA's, and takes some texts for valid
 * that the specification does not, and the other way round.
 *
 * @throws BuiltinError where go-yaml's refuses the text
 */
export function scanYaml(text: string): Token[] {
  return new Scanner(text).scan();
}

class Scanner {
  private readonly text: string;
  private at = 0;
  /** in characters, as the limit of a key counts them */
  private index = 0;
  private line = 0;
  private column = 0;
  /** line breaks since the last character that is no blank */
  private newlines = 0;
  private flowLevel = 0;
  private indent = -1;
  private readonly indents: number[] = [];
  private isKeyAllowed = true;
  private readonly keys: SimpleKey[] = [noKey()];
  private readonly tokens: Token[] = [];

  constructor(text: string) {
    // a byte-order mark at the very beginning is no content
    this.text = `${text.replace(/^\ufeff/, '')}${END}`;
  }

  scan(): Token[] {
    while (!this.fetch());
    return this.tokens;
  }

  /** @returns whether the end was reached */
  private fetch(): boolean {
    this.toNextToken();
    this.unroll(this.column);
    const char = this.peek();
    if (char === END) {
      this.column = 0;
      this.unroll(-1);
      this.removeKey();
      this.add('stream-end');
      return true;
    }
    if (this.column === 0 && char === '%') {
      this.directive();
      return false;
    }
    if (this.column === 0 && this.isDocumentMark()) {
      this.documentMark(char === '-' ? 'document-start' : 'document-end');
      return false;
    }
    this.token(char);
    if (this.tokens.at(-1)!.kind !== 'block-entry' && this.newlines === 0) this.lineComment();
    return false;
  }

  private token(char: string): void {
    const isFollowed = isBlankOrEnd(this.peek(1));
    const isFlow = this.flowLevel > 0;
    if (char === '[') return this.flowStart('flow-sequence-start');
    if (char === '{') return this.flowStart('flow-mapping-start');
    if (char === ']') return this.flowEnd('flow-sequence-end');
    if (char === '}') return this.flowEnd('flow-mapping-end');
    if (char === ',') return this.flowEntry();
    if (char === '-' && isFollowed) return this.blockEntry();
    if (char === '?' && (isFlow || isFollowed)) return this.key();
    if (char === ':' && (isFlow || isFollowed)) return this.value();
    if (char === '*') return this.anchor('alias');
    if (char === '&') return this.anchor('anchor');
    if (char === '!') return this.tag();
    if ((char === '|' || char === '>') && !isFlow) return this.blockScalar(char === '|');
    if (char === "'" || char === '"') return this.quoted(char);
    const isStart =
      !(isBlankOrEnd(char) || INDICATORS.includes(char)) ||
      (char === '-' && !isBlank(this.peek(1))) ||
      (!isFlow && (char === '?' || char === ':') && !isFollowed);
    if (!isStart) fail('found character that cannot start any token');
    this.plain();
  }

  private peek(ahead = 0): string {
    return this.text[this.at + ahead] ?? END;
  }

  private skip(count = 1): void {
    for (let left = count; left > 0; left--) {
      const char = this.peek();
      if (!isBlank(char)) this.newlines = 0;
      this.at += char >= '\ud800' && char <= '\udbff' ? 2 : 1;
      this.index++;
      this.column++;
    }
  }

  private skipBreak(): void {
    const length = this.text.startsWith('\r\n', this.at) ? 2 : 1;
    this.at += length;
    this.index += length;
    this.column = 0;
    this.line++;
    this.newlines++;
  }

  /** A line break as it counts in a scalar: all but LS and PS are `\n`. */
  private readBreak(): string {
    const char = this.peek();
    this.skipBreak();
    return char === '\u2028' || char === '\u2029' ? char : '\n';
  }

  private readWhile(test: (char: string) => boolean): string {
    const start = this.at;
    while (this.peek() !== END && test(this.peek())) this.skip();
    return this.text.slice(start, this.at);
  }

  private add(kind: TokenKind, more: Partial<Token> = {}, at = this.tokens.length): void {
    this.tokens.splice(at, 0, { kind, text: '', suffix: '', isPlain: false, ...more });
  }

  private addAndSkip(kind: TokenKind): void {
    this.skip();
    this.add(kind);
  }

  private isDocumentMark(): boolean {
    const mark = this.text.slice(this.at, this.at + 3);
    return (mark === '---' || mark === '...') && isBlankOrEnd(this.peek(3));
  }

  /** White space and comments; a tab only where no key may begin. */
  private toNextToken(): void {
    for (;;) {
      if (this.column === 0 && this.peek() === '\ufeff') this.skip();
      const takesTabs = this.flowLevel > 0 || !this.isKeyAllowed;
      while (this.peek() === ' ' || (takesTabs && this.peek() === '\t')) this.skip();
      if (this.peek() === '#') this.comments();
      if (!isBreak(this.peek())) return;
      this.skipBreak();
      if (this.flowLevel === 0) this.isKeyAllowed = true;
    }
  }

  /** A comment and those on the lines below it, whatever blanks are before them. */
  private comments(): void {
    do this.readWhile((char) => !isBreak(char));
    while (this.moveToComment(true));
  }

  private lineComment(): void {
    if (this.moveToComment(false)) this.readWhile((char) => !isBreak(char));
  }

  private moveToComment(overLines: boolean): boolean {
    let ahead = 0;
    const isBetween = (char: string) => isBlank(char) || (overLines && isBreak(char));
    while (ahead <= COMMENT_AHEAD && isBetween(this.peek(ahead))) ahead++;
    if (ahead > COMMENT_AHEAD || this.peek(ahead) !== '#') return false;
    const goal = this.at + ahead;
    while (this.at < goal) {
      if (isBreak(this.peek())) this.skipBreak();
      else this.skip();
    }
    return true;
  }

  private isValid(key: SimpleKey): boolean {
    if (!key.isPossible) return false;
    if (key.line === this.line && key.index + LONGEST_SIMPLE_KEY >= this.index) return true;
    if (key.isRequired) fail("could not find expected ':'");
    key.isPossible = false;
    return false;
  }

  private saveKey(): void {
    if (!this.isKeyAllowed) return;
    this.removeKey();
    this.keys[this.keys.length - 1] = {
      isPossible: true,
      isRequired: this.flowLevel === 0 && this.indent === this.column,
      token: this.tokens.length,
      index: this.index,
      line: this.line,
      column: this.column,
    };
  }

  private removeKey(): void {
    const key = this.keys.at(-1)!;
    if (key.isPossible && key.isRequired) fail("could not find expected ':'");
    key.isPossible = false;
  }

  private roll(column: number, kind: TokenKind, at?: number): void {
    if (this.flowLevel > 0 || this.indent >= column) return;
    this.indents.push(this.indent);
    this.indent = column;
    if (this.indents.length > DEEPEST) fail(`exceeded max depth of ${DEEPEST}`);
    this.add(kind, {}, at);
  }

  private unroll(column: number): void {
    if (this.flowLevel > 0) return;
    while (this.indent > column) {
      this.add('block-end');
      this.indent = this.indents.pop()!;
    }
  }

  private directive(): void {
    this.unroll(-1);
    this.removeKey();
    this.isKeyAllowed = false;
    this.skip();
    const name = this.readWhile(isWord);
    if (name === '' || !isBlankOrEnd(this.peek())) fail('could not find expected directive name');
    this.readWhile(isBlank);
    if (name === 'YAML') {
      const [version] = /^\d{1,2}\.\d{1,2}(?!\d)/.exec(this.text.slice(this.at, this.at + 6)) ?? [];
      if (version === undefined) fail('did not find expected version number');
      this.skip(version.length);
      this.add('version-directive', { text: version });
    } else if (name === 'TAG') {
      const text = this.tagHandle(true);
      if (!isBlank(this.peek())) fail('did not find expected whitespace');
      this.readWhile(isBlank);
      const suffix = this.tagUri('');
      if (!isBlankOrEnd(this.peek())) fail('did not find expected whitespace or line break');
      this.add('tag-directive', { text, suffix });
    } else fail('found unknown directive name');
    this.readWhile(isBlank);
    if (this.peek() === '#') this.readWhile((char) => !isBreak(char));
    if (!isBreakOrEnd(this.peek())) fail('did not find expected comment or line break');
    if (isBreak(this.peek())) this.skipBreak();
  }

  private documentMark(kind: TokenKind): void {
    this.unroll(-1);
    this.removeKey();
    this.isKeyAllowed = false;
    this.skip(3);
    this.add(kind);
  }

  private flowStart(kind: TokenKind): void {
    this.saveKey();
    this.keys.push(noKey());
    if (++this.flowLevel > DEEPEST) fail(`exceeded max depth of ${DEEPEST}`);
    this.isKeyAllowed = true;
    this.addAndSkip(kind);
  }

  private flowEnd(kind: TokenKind): void {
    this.removeKey();
    if (this.flowLevel > 0) {
      this.flowLevel--;
      this.keys.pop();
    }
    this.isKeyAllowed = false;
    this.addAndSkip(kind);
  }

  private flowEntry(): void {
    this.removeKey();
    this.isKeyAllowed = true;
    this.addAndSkip('flow-entry');
  }

  private blockEntry(): void {
    if (this.flowLevel === 0) {
      if (!this.isKeyAllowed) fail('block sequence entries are not allowed in this context');
      this.roll(this.column, 'block-sequence-start');
    }
    this.removeKey();
    this.isKeyAllowed = true;
    this.addAndSkip('block-entry');
  }

  private key(): void {
    if (this.flowLevel === 0) {
      if (!this.isKeyAllowed) fail('mapping keys are not allowed in this context');
      this.roll(this.column, 'block-mapping-start');
    }
    this.removeKey();
    this.isKeyAllowed = this.flowLevel === 0;
    this.addAndSkip('key');
  }

  private value(): void {
    const key = this.keys.at(-1)!;
    if (this.isValid(key)) {
      this.add('key', {}, key.token);
      this.roll(key.column, 'block-mapping-start', key.token);
      key.isPossible = false;
      this.isKeyAllowed = false;
    } else {
      if (this.flowLevel === 0) {
        if (!this.isKeyAllowed) fail('mapping values are not allowed in this context');
        this.roll(this.column, 'block-mapping-start');
      }
      this.isKeyAllowed = this.flowLevel === 0;
    }
    this.addAndSkip('value');
  }

  private anchor(kind: 'alias' | 'anchor'): void {
    this.saveKey();
    this.isKeyAllowed = false;
    this.skip();
    const text = this.readWhile(isWord);
    const next = this.peek();
    if (text === '' || !(isBlankOrEnd(next) || '?:,]}%@`'.includes(next))) {
      fail('did not find expected alphabetic or numeric character');
    }
    this.add(kind, { text });
  }

  private tag(): void {
    this.saveKey();
    this.isKeyAllowed = false;
    const tag = this.peek(1) === '<' ? this.verbatimTag() : this.shorthandTag();
    if (!isBlankOrEnd(this.peek())) fail('did not find expected whitespace or line break');
    this.add('tag', tag);
  }

  private verbatimTag(): Pick<Token, 'text' | 'suffix'> {
    this.skip(2);
    const suffix = this.tagUri('');
    if (this.peek() !== '>') fail("did not find the expected '>'");
    this.skip();
    return { text: '', suffix };
  }

  private shorthandTag(): Pick<Token, 'text' | 'suffix'> {
    const text = this.tagHandle(false);
    if (text.length > 1 && text.endsWith('!')) return { text, suffix: this.tagUri('') };
    const suffix = this.tagUri(text);
    return suffix === '' ? { text: '', suffix: '!' } : { text: '!', suffix };
  }

  private tagHandle(isDirective: boolean): string {
    if (this.peek() !== '!') fail("did not find expected '!'");
    this.skip();
    const word = this.readWhile(isWord);
    if (this.peek() === '!') {
      this.skip();
      return `!${word}!`;
    }
    if (isDirective && word !== '') fail("did not find expected '!'");
    return `!${word}`;
  }

  /** @param head a handle that turned out to be the beginning of the tag itself */
  private tagUri(head: string): string {
    let uri = head.slice(1);
    let isThere = head !== '';
    for (let char = this.peek(); ; char = this.peek()) {
      if (char === '%') uri += this.uriEscape();
      else if (char !== END && (isWord(char) || URI_CHARS.includes(char))) {
        uri += char;
        this.skip();
      } else break;
      isThere = true;
    }
    if (!isThere) fail('did not find expected tag URI');
    return uri;
  }

  private uriEscape(): string {
    const [escapes] = /^(?:%[0-9a-fA-F]{2})+/.exec(this.text.slice(this.at, this.at + 12)) ?? [''];
    const bytes = Buffer.from(escapes.replaceAll('%', ''), 'hex');
    const first = bytes[0] ?? 0x80;
    const length = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
    const isWhole = bytes.length >= length && bytes.subarray(1, length).every((byte) => (byte & 0xc0) === 0x80);
    if (length === 0 || !isWhole) fail('did not find URI escaped octet');
    this.skip(3 * length);
    return bytes.subarray(0, length).toString('utf8');
  }

  private blockScalar(isLiteral: boolean): void {
    this.removeKey();
    this.isKeyAllowed = true;
    this.skip();
    const { chomping, increment } = this.blockHeader();
    this.readWhile(isBlank);
    if (this.peek() === '#') this.readWhile((char) => !isBreak(char));
    if (!isBreakOrEnd(this.peek())) fail('did not find expected comment or line break');
    if (isBreak(this.peek())) this.skipBreak();
    const wanted = increment === 0 ? 0 : Math.max(this.indent, 0) + increment;
    let { indent, breaks } = this.blockBreaks(wanted);
    const parts: string[] = [];
    let leadingBreak = '';
    let wasBlank = false;
    while (this.column === indent && this.peek() !== END) {
      const startsBlank = isBlank(this.peek());
      const isFolded = !isLiteral && !wasBlank && !startsBlank && leadingBreak.startsWith('\n');
      parts.push(isFolded ? (breaks === '' ? ' ' : '') : leadingBreak, breaks);
      wasBlank = startsBlank;
      parts.push(this.readWhile((char) => !isBreak(char)));
      leadingBreak = isBreak(this.peek()) ? this.readBreak() : '';
      ({ indent, breaks } = this.blockBreaks(indent));
    }
    if (chomping !== '-') parts.push(leadingBreak);
    if (chomping === '+') parts.push(breaks);
    this.add('scalar', { text: parts.join('') });
  }

  private blockHeader(): { chomping: string; increment: number } {
    const [header, sign1, digit1, digit2, sign2] = /^(?:([-+])(\d)?|(\d)([-+])?)?/.exec(
      this.text.slice(this.at, this.at + 2),
    )!;
    const digit = digit1 ?? digit2;
    if (digit === '0') fail('found an indentation indicator equal to 0');
    this.skip(header.length);
    return { chomping: sign1 ?? sign2 ?? '', increment: Number(digit ?? '0') };
  }

  /** Lines without content, and the indentation where it was not given (0). */
  private blockBreaks(wanted: number): { indent: number; breaks: string } {
    let breaks = '';
    let deepest = 0;
    for (;;) {
      while ((wanted === 0 || this.column < wanted) && this.peek() === ' ') this.skip();
      deepest = Math.max(deepest, this.column);
      if ((wanted === 0 || this.column < wanted) && this.peek() === '\t') {
        fail('found a tab character where an indentation space is expected');
      }
      if (!isBreak(this.peek())) break;
      breaks += this.readBreak();
    }
    return { indent: wanted === 0 ? Math.max(deepest, this.indent + 1, 1) : wanted, breaks };
  }

  private quoted(quote: string): void {
    this.saveKey();
    this.isKeyAllowed = false;
    this.skip();
    const parts: string[] = [];
    for (;;) {
      if (this.column === 0 && this.isDocumentMark()) fail('found unexpected document indicator');
      if (this.peek() === END) fail('found unexpected end of stream');
      const isJoined = this.quotedWord(quote, parts);
      if (this.peek() === quote) break;
      parts.push(this.spaceBetween(isJoined));
    }
    this.skip();
    this.add('scalar', { text: parts.join('') });
  }

  /** @returns whether it ended with an escaped line break */
  private quotedWord(quote: string, parts: string[]): boolean {
    for (let char = this.peek(); !isBlankOrEnd(char); char = this.peek()) {
      if (quote === "'" && char === "'" && this.peek(1) === "'") {
        parts.push("'");
        this.skip(2);
      } else if (char === quote) return false;
      else if (quote === '"' && char === '\\') {
        if (isBreak(this.peek(1))) {
          this.skip();
          this.skipBreak();
          return true;
        }
        parts.push(this.escape());
      } else {
        const start = this.at;
        this.skip();
        parts.push(this.text.slice(start, this.at));
      }
    }
    return false;
  }

  private escape(): string {
    const name = this.peek(1);
    const length = CODE_LENGTH[name];
    const char = ESCAPES[name];
    if (length === undefined) {
      if (char === undefined) fail('found unknown escape character');
      this.skip(2);
      return char;
    }
    const digits = this.text.slice(this.at + 2, this.at + 2 + length);
    const code = /^[0-9a-fA-F]+$/.test(digits) && digits.length === length ? parseInt(digits, 16) : NaN;
    if (!(code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff)) fail('found invalid Unicode character escape code');
    this.skip(2 + length);
    return String.fromCodePoint(code);
  }

  /**
   * White space within a scalar, folded.
   *
   * @param isJoined the line break before it was escaped
   * @param checkTab called before each blank that follows a line break
   */
  private spaceBetween(isJoined: boolean, checkTab?: () => void): string {
    let [blanks, leadingBreak, breaks] = ['', '', ''];
    let hasBreak = isJoined;
    for (let char = this.peek(); isBlank(char) || isBreak(char); char = this.peek()) {
      if (isBlank(char)) {
        if (hasBreak) checkTab?.();
        else blanks += char;
        this.skip();
      } else if (hasBreak) breaks += this.readBreak();
      else {
        leadingBreak = this.readBreak();
        hasBreak = true;
      }
    }
    this.endedLine = hasBreak;
    if (!hasBreak) return blanks;
    if (leadingBreak.startsWith('\n')) return breaks === '' ? ' ' : breaks;
    return leadingBreak + breaks;
  }
  /** whether the white space that was read last held a line break */
  private endedLine = false;

  private plain(): void {
    this.saveKey();
    this.isKeyAllowed = false;
    const indent = this.indent + 1;
    const parts: string[] = [];
    let space = '';
    this.endedLine = false;
    for (;;) {
      if ((this.column === 0 && this.isDocumentMark()) || this.peek() === '#') break;
      const word = this.readWhile((char) => !isBlankOrEnd(char) && !this.endsPlain(char));
      if (word !== '') {
        parts.push(space, word);
        this.endedLine = false;
      }
      if (!isBlank(this.peek()) && !isBreak(this.peek())) break;
      space = this.spaceBetween(false, () => {
        if (this.column < indent && this.peek() === '\t') fail('found a tab character that violates indentation');
      });
      if (this.flowLevel === 0 && this.column < indent) break;
    }
    this.add('scalar', { text: parts.join(''), isPlain: true });
    if (this.endedLine) this.isKeyAllowed = true;
  }

  private endsPlain(char: string): boolean {
    return (char === ':' && isBlankOrEnd(this.peek(1))) || (this.flowLevel > 0 && FLOW_ENDS.includes(char));
  }
}

function noKey(): SimpleKey {
  return { isPossible: false, isRequired: false, token: 0, index: 0, line: 0, column: 0 };
}

function fail(problem: string): never {
  throw new BuiltinError(`yaml: ${problem}`);
}
