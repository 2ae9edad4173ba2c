/** The names that a plan looks up by a text of its own, each with a number, so that to mark one is a single store. */
export class WrittenNames {
  private readonly byName = new Map<string, number>();

  numberOf(name: string): number {
    const known = this.byName.get(name);
    if (known !== undefined) return known;
    this.byName.set(name, this.byName.size);
    return this.byName.size - 1;
  }

  /** by number */
  list(): readonly string[] {
    return [...this.byName.keys()];
  }
}

/** The names of the input's top level that one evaluation looked up, each once and in no order. */
export class TouchedNames {
  /** whether the written name with this number was looked up */
  readonly written: boolean[];
  private computed: Set<string> | undefined;

  constructor(private readonly names: readonly string[]) {
    this.written = new Array<boolean>(names.length).fill(false);
  }

  /** A name that the plan computes, or does not know as one of its own. */
  add(name: string): void {
    (this.computed ??= new Set()).add(name);
  }

  list(): string[] {
    const { names, written, computed } = this;
    const found: string[] = [];
    for (let at = 0; at < names.length; at++) if (written[at]) found.push(names[at]!);
    return computed === undefined ? found : [...new Set([...found, ...computed])];
  }
}
