import { RESERVED_INPUT_KEYS } from '../../kernel/names';
import { placeText } from '../../kernel/fault-text';
import type { JsonSchema } from '../../kernel/json';
import { closeName } from '../../platform/documents/close-name';
import { factSchemas } from '../analysis/input-schema';
import type { PolicyReads } from '../analysis/policy-reads';
import type { PlanReads } from '../plan/plan-reads';

/** What is said of a bundle's own files: which one, and what is wrong with it. */
export interface BundleFault {
  where: string;
  /** a JSON Pointer to what is wrong in it; empty for the whole */
  pointer: string;
  what: string;
}

/**
 * Facts that a bundle's rules read, and that its `input.json` does not describe or its metadata leaves out: they would not
 * be collected, and a rule over an absent fact does not fire. What the rules read comes from the plan, so that nothing that
 * the bundle says of itself is trusted; without a plan from the text of its Rego.
 *
 * @param bundle.isPlain it holds no metadata of ours, so that `input.json` must name everything
 */
export function unnamedReads(bundle: {
  /** what its plan reads, where it has one */
  planned: PlanReads | undefined;
  sources: Readonly<Record<string, string>>;
  inputSchema: JsonSchema;
  reads: Pick<PolicyReads, 'facts'>;
  isPlain: boolean;
}): BundleFault[] {
  const { planned, sources, inputSchema, reads, isPlain } = bundle;
  const described = factSchemas(inputSchema);
  const read = planned === undefined ? readInText(sources) : readInPlan(planned);
  const faults: BundleFault[] = RESERVED_INPUT_KEYS.filter((name) => name in described).map((name) => ({
    where: 'input.json',
    pointer: `/properties/${name}`,
    what: `describes ${name}, which is reserved for the gate`,
  }));
  for (const [factId, place] of read.facts) {
    if ((RESERVED_INPUT_KEYS as readonly string[]).includes(factId)) continue;
    if (!Object.hasOwn(described, factId)) {
      const close = closeName(factId, Object.keys(described));
      const hint = close === undefined ? '' : `; did you mean ${close}?`;
      const what = `does not describe ${factId}, which ${place} reads${hint}`;
      faults.push({ where: 'input.json', pointer: '/properties', what });
    } else if (!reads.facts.includes(factId))
      faults.push({
        where: '.manifest',
        pointer: '',
        what: `leaves out ${factId} of what the policy reads, which ${place} reads`,
      });
  }
  if (isPlain && read.whole !== undefined && inputSchema.additionalProperties !== false) {
    const what = `expected additionalProperties: false, because ${read.whole} reads input as a whole`;
    faults.push({ where: 'input.json', pointer: '', what });
  }
  return faults;
}

interface FoundReads {
  /** where each fact is read first */
  facts: ReadonlyMap<string, string>;
  whole?: string;
}

function readInPlan({ input, wholeInput }: PlanReads): FoundReads {
  const facts = [...input.values()].flatMap(({ path: [first, ...rest], at }): [string, string][] =>
    first === undefined || rest.length > 0 ? [] : [[first, placeOf(at)]],
  );
  return { facts: new Map(facts), ...(wholeInput ? { whole: placeOf(wholeInput) } : {}) };
}

const placeOf = ({ file, row, col }: { file: string; row: number; col: number }): string =>
  placeText(file.replace(/^\/+/, ''), row, col);

/** `input.x` and `input["x"]` outside comments and texts; masks read the event of a decision, not its input. */
function readInText(sources: Readonly<Record<string, string>>): FoundReads {
  const facts = new Map<string, string>();
  for (const [file, source] of Object.entries(sources)) {
    if (/^\s*package\s+system\b/m.test(source)) continue;
    source.split('\n').forEach((line, index) => {
      // Blanks in place of texts, so that columns stay.
      const code = line
        .replace(/(^|[^[])("(?:[^"\\]|\\.)*")|`[^`]*`/g, (found, before: string = '') => before.padEnd(found.length))
        .replace(/#.*$/, '');
      for (const { 1: dotted, 2: quoted, index: at } of code.matchAll(/\binput(?:\.([A-Za-z_]\w*)|\["([^"\\]*)"\])/g)) {
        const factId = dotted ?? quoted ?? '';
        if (!facts.has(factId)) facts.set(factId, placeText(file, index + 1, at + 1));
      }
    });
  }
  return { facts };
}
