import type { RegoValue } from '../../values/value';
import { lookUp } from '../lookup';
import type { SourceLine, Statement, StatementOf } from '../plan';
import { NEXT, type Step } from '../run';
import type { Scope } from './scope';

/** Told of each lookup in an evaluation; `found` is undefined where it found nothing. */
export type ObserveLookup = (
  at: SourceLine,
  container: RegoValue | undefined,
  key: RegoValue,
  found: RegoValue | undefined,
) => void;

/** The step itself, or one that tells of its lookup too. Only for people who ask why: it costs more than the lookup. */
export function observed(step: Step, statement: Statement, scope: Scope, observe: ObserveLookup): Step {
  if (statement.type === 'DotStmt') return observedDot(step, statement, scope, observe);
  return statement.type === 'CallStmt' && statement.func === 'object.get'
    ? observedGet(step, statement, scope, observe)
    : step;
}

function observedDot(
  step: Step,
  { source, key, target, at }: StatementOf<'DotStmt'>,
  scope: Scope,
  observe: ObserveLookup,
): Step {
  const [read, readKey, slot] = [scope.reader(source), scope.reader(key), scope.slot(target)];
  return (frame, run) => {
    const [container, name] = [read(frame), readKey(frame)];
    const answer = step(frame, run);
    observe(at, container, name!, answer === NEXT ? frame[slot] : undefined);
    return answer;
  };
}

/** Its key may be a path; the first step that finds nothing ends it. */
function observedGet(step: Step, { args, at }: StatementOf<'CallStmt'>, scope: Scope, observe: ObserveLookup): Step {
  const [readObject, readKey] = args.map((operand) => scope.reader(operand));
  return (frame, run) => {
    let container = readObject!(frame);
    const key = readKey!(frame);
    for (const name of Array.isArray(key) ? key : key === undefined ? [] : [key]) {
      const found = lookUp(container, name);
      observe(at, container, name, found);
      if (found === undefined) break;
      container = found;
    }
    return step(frame, run);
  };
}
