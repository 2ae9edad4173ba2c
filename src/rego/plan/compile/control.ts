import { NEXT, RETURN, type Step } from '../run';
import { lookUpBase } from '../lookup';
import { DATA, type Block, type StatementOf } from '../plan';
import type { CompileStatement, Scope } from './scope';
import type { NameChoice } from './shapes';

/** A block's answer as its parent's: a break counts every block on its way. */
export const outward = (answer: number): number => (answer <= 0 ? answer : answer - 1);

/** The statements of a block one after the other; short ones without a loop, since most are. */
export function sequence(steps: readonly Step[]): Step {
  const [first, second, third, fourth] = steps;
  switch (steps.length) {
    case 0:
      return () => NEXT;
    case 1:
      return first!;
    case 2:
      return (frame, run) => {
        const answer = first!(frame, run);
        return answer === NEXT ? second!(frame, run) : answer;
      };
    case 3:
      return (frame, run) => {
        let answer = first!(frame, run);
        if (answer === NEXT) answer = second!(frame, run);
        return answer === NEXT ? third!(frame, run) : answer;
      };
    case 4:
      return (frame, run) => {
        let answer = first!(frame, run);
        if (answer === NEXT) answer = second!(frame, run);
        if (answer === NEXT) answer = third!(frame, run);
        return answer === NEXT ? fourth!(frame, run) : answer;
      };
    default: {
      const rest = sequence(steps.slice(4));
      const head = sequence(steps.slice(0, 4));
      return (frame, run) => {
        const answer = head(frame, run);
        return answer === NEXT ? rest(frame, run) : answer;
      };
    }
  }
}

export const compileNop: CompileStatement<'NopStmt'> = () => () => NEXT;

/** Each block runs whatever became of the one before it, unless a break leads further out. */
export const compileBlock: CompileStatement<'BlockStmt'> = (statement, scope) => {
  const compiled = statement.blocks.map((block: Block) => scope.block(block));
  const run = anyOf(compiled);
  const choice = scope.shapes.choices.get(statement);
  return choice === undefined ? run : noticing(choice, statement, scope, run);
};

/** A name that is neither a package's or rule's nor one in the base data is an absence, though no lookup says so. */
function noticing(
  { names, key, path }: NameChoice,
  statement: StatementOf<'BlockStmt'>,
  scope: Scope,
  step: Step,
): Step {
  const [slot, data] = [scope.slot(key), scope.slot(DATA)];
  const site = scope.site(statement);
  const readers = path.map((one) => scope.reader(one));
  return (frame, run) => {
    const name = frame[slot];
    if (name !== undefined && !(typeof name === 'string' && names.has(name))) {
      const keys = [...readers.map((read) => read(frame)!), name];
      let found = frame[data];
      for (const one of keys) found = found === undefined ? undefined : lookUpBase(found, one);
      if (found === undefined || found === null) run.notebook.reference(site, keys);
    }
    return step(frame, run);
  };
}

function anyOf(compiled: readonly Step[]): Step {
  const [only] = compiled;
  if (compiled.length === 1) {
    return (frame, run) => {
      const answer = only!(frame, run);
      return answer === NEXT || answer === 0 ? NEXT : outward(answer);
    };
  }
  return (frame, run) => {
    for (let i = 0; i < compiled.length; i++) {
      const answer = compiled[i]!(frame, run);
      if (answer !== NEXT && answer !== 0) return outward(answer);
    }
    return NEXT;
  };
}

export const compileBreak: CompileStatement<'BreakStmt'> = ({ index }) => {
  return () => index;
};

export const compileNot: CompileStatement<'NotStmt'> = ({ block }, scope) => {
  const compiled = scope.block(block);
  return (frame, run) => {
    const answer = compiled(frame, run);
    if (answer === 0) return NEXT;
    return answer === NEXT ? 0 : outward(answer);
  };
};

export const compileReturn: CompileStatement<'ReturnLocalStmt'> = ({ source }, scope) => {
  const slot = scope.slot(source);
  return (frame, run) => {
    run.returned = frame[slot];
    return RETURN;
  };
};

export const compileResult: CompileStatement<'ResultSetAddStmt'> = ({ value }, scope) => {
  const slot = scope.slot(value);
  return (frame, run) => {
    run.results.push(frame[slot]!);
    return NEXT;
  };
};

export const compileIsDefined: CompileStatement<'IsDefinedStmt'> = ({ source }, scope) => {
  const slot = scope.slot(source);
  return (frame) => (frame[slot] === undefined ? 0 : NEXT);
};

export const compileIsUndefined: CompileStatement<'IsUndefinedStmt'> = ({ source }, scope) => {
  const slot = scope.slot(source);
  return (frame) => (frame[slot] === undefined ? NEXT : 0);
};
