/** Random bodies of rules that bind `v`; the same for the same seed. They use nothing that the compiler would refuse. */
export class Random {
  constructor(private state: number) {}

  body(): string {
    return this.pick([
      () => `v := ${this.value(3)}`,
      () => `{\n\tx := ${this.value(2)}\n\tv := [x, ${this.value(2)}]\n}`,
      () => `v := [y | some y in id(${this.collection()})]`,
      () => `v := {y | some y in id(${this.collection()})}`,
      () => `v := {k: y | some k, y in id(${this.collection()})}`,
      () => `v := [y | some y in id(${this.collection()}); id(y) ${this.comparison()} id(${this.value(1)})]`,
      () => `{\n\tnot ${this.condition().replaceAll('[_]', '[0]')}\n\tv := ${this.value(2)}\n}`,
      () =>
        `{\n\tevery y in id(${this.collection()}) { id(y) ${this.comparison()} id(${this.value(1)}) }\n\tv := "every"\n}`,
      () => `{\n\tv := ${this.rule()} with input.a as ${this.scalar()} with input.d.new as ${this.scalar()}\n}`,
      () => `{\n\tv := ${this.rule()} with data.n as ${this.collection()}\n}`,
      () => `{\n\tv := ${this.rule()} with input as ${this.object()}\n}`,
      () => `{\n\t[x, y] = id(${this.collection()})\n\tv := [y, x]\n}`,
      () => `{\n\t{"x": x, "y": y} = id(${this.object()})\n\tv := [y, x]\n}`,
      () => `{\n\t${this.condition()}\n\tv := ${this.value(2)}\n}`,
      () => `v := object.get(id(${this.object()}), ${this.key()}, ${this.value(1)})`,
      () => `v := [p | walk(id(${this.object()}), [p, y]); is_number(y)]`,
      () => `v := count({y | y := id(${this.collection()})[_]})`,
    ]);
  }

  private value(depth: number): string {
    if (depth === 0) return this.scalar();
    return this.pick([
      () => this.scalar(),
      () => this.reference(),
      () => this.rule(),
      () => `[${this.value(depth - 1)}, ${this.value(depth - 1)}]`,
      () => `{${JSON.stringify(this.name())}: ${this.value(depth - 1)}}`,
      () => `{${this.value(depth - 1)}, ${this.value(depth - 1)}}`,
      () => `(id(${this.number()}) ${this.pick(['+', '-', '*', '/', '%'])} id(${this.number()}))`,
      () => `sprintf("%v|%s", [${this.value(depth - 1)}, ${this.value(depth - 1)}])`,
      () => `f(id(${this.pick([() => this.number(), () => `"t"`, () => this.reference()])}))`,
      () => `g(${this.scalar()}, id(${this.pick(['[1, 2]', '{"k": 3}', 'input.c', 'input.d'])}))`,
      () => `sum(id([${this.number()}, ${this.number()}]))`,
      () => `sort([${this.value(depth - 1)}, ${this.value(depth - 1)}, ${this.scalar()}])`,
      () => `max(id([${this.value(depth - 1)}, ${this.value(depth - 1)}]))`,
      () => `json.marshal(${this.value(depth - 1)})`,
    ]);
  }

  private condition(): string {
    return this.pick([
      () => `id(${this.value(1)}) ${this.comparison()} id(${this.value(1)})`,
      () => `${this.scalar()} in id(${this.collection()})`,
      // not by a number: OPA's index of rules looks such a key up as a value, its evaluator as a text
      () => this.namedReference(),
      () => `part[${this.scalar()}]`,
      () => `map[${this.scalar()}]`,
    ]);
  }

  private scalar(): string {
    return this.pick(['null', 'true', 'false', '"x"', '"p"', '""', '"ß🙂"', () => this.number()]);
  }

  private number(): string {
    return this.pick([
      '0',
      '1',
      '2',
      '-3',
      '1.0',
      '2.5',
      '0.1',
      '1e2',
      '9007199254740993',
      '3.14159',
      'input.a',
      'data.n[0]',
    ]);
  }

  private name(): string {
    return this.pick(['x', 'y', 'k', '0', '1']);
  }

  private key(): string {
    return this.pick(['"x"', '"zz"', '1', '["y", "z"]', '["y", "none"]']);
  }

  private reference(): string {
    const byNumber = ['data.base[1]', 'data.base[2].x[2]["0"]', 'data.base[input.a]'];
    return this.pick([() => this.namedReference(), () => this.namedReference(), () => this.pick(byNumber)]);
  }

  private namedReference(): string {
    return this.pick([
      ...['input.a', 'input.b', 'input.c[1]', 'input.c[9]', 'input.c[_]', 'input.d.y.z', 'input.d[input.b]', 'input.e'],
      ...['input.n', 'input.none', 'input.d.y.none', 'input.s', 'input.d[_]', 'data.base["1"]', 'data.base.list["0"]'],
      ...['data.base.list[1]', 'data.n[_]', 'data.none', 'data.base', 'data.empty'],
    ]);
  }

  private rule(): string {
    return this.pick([
      'h',
      'part',
      'map',
      'nested',
      'nested.p',
      'nested.p[1]',
      'chain',
      'map.a',
      'data.gate.h',
      'nested[input.s[0]]',
    ]);
  }

  private collection(): string {
    return this.pick([
      'input.c',
      'input.s',
      'input.d',
      'data.n',
      'data.base',
      'data.empty',
      'part',
      '[1, "1", 1.0]',
      '{1, "1", 1.0}',
      'nested',
      'data.base.list',
    ]);
  }

  private object(): string {
    return this.pick(['input.d', 'input', 'data.base', '{"x": 1, "y": {"z": 2}}', '{"x": [1], "y": null}', 'map']);
  }

  private comparison(): string {
    return this.pick(['==', '!=', '<', '<=', '>', '>=']);
  }

  private pick(choices: readonly (string | (() => string))[]): string {
    // a linear congruential generator, as in ANSI C
    this.state = (Math.imul(this.state, 1_103_515_245) + 12_345) & 0x7fffffff;
    const choice = choices[Math.floor((this.state / 0x80000000) * choices.length)]!;
    return typeof choice === 'string' ? choice : choice();
  }
}
