import { RE2JS } from 're2js';
import { EXPECTED_OF_HTTP_URL, readHttpUrl } from '../../kernel/http-url';
import { whyNoPattern } from '../../kernel/pattern-fault';
import { readFactCriterion, type FactCriterion } from './fact-criterion';
import type { PlanNode } from '../kinds/plan';
import { parseGoDuration } from '../kinds/go-duration';

type Criterion = NonNullable<PlanNode['acceptanceCriteria']>[number];

/** An endpoint that is asked whether a node has done what it was to do. */
export interface EndpointCriterion {
  name: string;
  url: string;
  method: 'GET' | 'HEAD';
  /** @default any 2xx */
  status?: number;
  /** RE2, found anywhere in the body */
  bodyMatch?: string;
  /** one that does not hold is told, and fails nothing */
  isOptional?: true;
  /** of one question */
  timeoutMs: number;
}

/** What must hold before a node counts as done. */
export type NodeCriterion = EndpointCriterion | FactCriterion;

/** Whether a criterion holds, or a clause that says what was found instead. */
export type CriterionLook = { holds: true; message?: undefined } | { holds: false; message: string };

const USUAL_MS = 10_000;
const LONGEST_MS = 25_000;

/** The criteria of a node, and what is wrong with each: what would need a command, a file or somebody else is refused by name. */
export function readCriteria({ acceptanceCriteria = [] }: PlanNode): {
  criteria: NodeCriterion[];
  faults: string[];
} {
  const faults: string[] = [];
  const criteria = acceptanceCriteria.flatMap((each, index): NodeCriterion[] => {
    const isFact = each.type === 'custom' && each.fact !== undefined;
    const read = isFact ? readFactCriterion(each) : readEndpoint(each);
    if (!Array.isArray(read)) return [read];
    faults.push(...read.map((fault) => `acceptanceCriteria[${index}] (${each.name}): ${fault}`));
    return [];
  });
  return { criteria, faults };
}

/** @returns sentences of what was expected if a part is invalid */
function readEndpoint(criterion: Criterion): EndpointCriterion | string[] {
  const faults = faultsOf(criterion);
  if (faults.length > 0) return faults;
  const { name, url = '', method = 'GET', expectedStatus, bodyMatch, required = true, timeout } = criterion;
  return {
    ...{ name, url, method: method.toUpperCase() as 'GET' | 'HEAD' },
    ...(expectedStatus === undefined ? {} : { status: expectedStatus }),
    ...(bodyMatch === undefined ? {} : { bodyMatch }),
    ...(required ? {} : { isOptional: true as const }),
    timeoutMs: timeout === undefined ? USUAL_MS : parseGoDuration(timeout)!,
  };
}

function faultsOf({ type, url = '', method = 'GET', bodyMatch, timeout }: Criterion): string[] {
  if (type !== 'endpoint_responds')
    return [`type ${type} is not supported: expected endpoint_responds, or custom with a fact`];
  const faults: string[] = [];
  const read = readHttpUrl(url);
  if (typeof read === 'string') faults.push(`expected url ${EXPECTED_OF_HTTP_URL[read]}`);
  if (!['GET', 'HEAD'].includes(method.toUpperCase())) faults.push(`expected method to be GET or HEAD, got ${method}`);
  const ms = timeout === undefined ? USUAL_MS : parseGoDuration(timeout);
  if (ms === undefined || ms <= 0 || ms > LONGEST_MS)
    faults.push(`expected timeout to be more than 0s and at most 25s, got ${timeout}`);
  if (bodyMatch !== undefined) {
    const pattern = patternOf(bodyMatch);
    if (typeof pattern === 'string')
      faults.push(`expected bodyMatch to be a regular expression of RE2, got ${JSON.stringify(bodyMatch)}: ${pattern}`);
  }
  return faults;
}

/** What an answer says of a criterion. */
export function judgeAnswer(
  { status: wanted, bodyMatch }: Pick<EndpointCriterion, 'status' | 'bodyMatch'>,
  status: number,
  body: Uint8Array,
): CriterionLook {
  if (wanted === undefined ? status < 200 || status > 299 : status !== wanted)
    return { holds: false, message: `expected status ${wanted ?? '2xx'}, got ${status}` };
  const pattern = bodyMatch === undefined ? undefined : patternOf(bodyMatch);
  const hasMatch = typeof pattern === 'object' && pattern.matcher(new TextDecoder().decode(body)).find();
  if (bodyMatch === undefined || hasMatch) return { holds: true };
  return { holds: false, message: `expected a body with ${bodyMatch}` };
}

/** @returns what is wrong with a text that is no pattern */
function patternOf(text: string): RE2JS | string {
  try {
    return RE2JS.compile(text);
  } catch (error) {
    return whyNoPattern(error);
  }
}
