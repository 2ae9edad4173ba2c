const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN = [0x5b, 0x7b];
const CLOSE = [0x5d, 0x7d];
const [LIST_START, LIST_END] = [0x5b, 0x5d];

/** What stands between two values. */
const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

/**
 * Takes apart JSON values that follow each other, and the items of lists at the top, however they are spread over lines. It
 * looks at brackets and quotes alone: whether a value is one is for its parser to say.
 */
export class ValueSplitter {
  /** the value that has begun */
  private begun = '';
  private isWithin = false;
  private isInList = false;
  private depth = 0;
  private isText = false;
  private isEscaped = false;

  /** The values that end in this text, each in one line. */
  push(text: string): string[] {
    const values: string[] = [];
    let start = 0;
    const end = (at: number): void => {
      values.push(inOneLine(this.begun + text.slice(start, at)));
      this.begun = '';
      this.isWithin = false;
    };
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (!this.isWithin) {
        if (this.isBetween(code)) continue;
        this.isWithin = true;
        start = at;
      }
      if (this.isText) {
        this.readText(code);
        if (!this.isText && this.depth === 0) end(at + 1);
      } else if (code === QUOTE) this.isText = true;
      else if (OPEN.includes(code)) this.depth += 1;
      else if (CLOSE.includes(code) && this.depth > 0) {
        this.depth -= 1;
        if (this.depth === 0) end(at + 1);
      } else if (this.depth === 0 && (isSpace(code) || code === COMMA || code === LIST_END)) {
        end(at);
        if (code === LIST_END) this.isInList = false;
      }
    }
    if (this.isWithin) this.begun += text.slice(start);
    return values;
  }

  /** How much of a value is waiting for its end, in UTF-16 units. */
  get waiting(): number {
    return this.begun.length;
  }

  /** What is left at the end of the text: a value without its end, or one that needs none. */
  finish(): string[] {
    return this.isWithin ? [inOneLine(this.begun)] : [];
  }

  private isBetween(code: number): boolean {
    if (isSpace(code) || code === COMMA) return true;
    const isListEdge = code === (this.isInList ? LIST_END : LIST_START);
    if (isListEdge) this.isInList = !this.isInList;
    return isListEdge;
  }

  private readText(code: number): void {
    if (this.isEscaped) this.isEscaped = false;
    else if (code === BACKSLASH) this.isEscaped = true;
    else if (code === QUOTE) this.isText = false;
  }
}

/** Line ends are white space in JSON, but for those within a text, where a tab is as wrong as they are. */
const inOneLine = (value: string): string => value.replace(/[\r\n]/g, '\t');
