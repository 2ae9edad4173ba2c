import type { JsonObject } from '../../kernel/json';
import type { DocumentPlace } from '../../platform/documents/validate';
import type { RulePolicy } from '../../rules/document/rule-policy';
import { answerRules, type RulesAnswer } from '../../rules/evaluation/answer';
import { unmetSubjects } from '../../rules/evaluation/unmet-subjects';
import type { DomainStep } from '../../rules/domain';
import { MEASURES } from '../actions/parts';
import { ofDomainStep } from '../model/domain-step';
import { shardDomain } from '../domain';
import { ownState } from '../evaluation/own-state';
import { Arrangement } from '../model/arrangement';
import { impactOf, type Impact } from './impact';
import { termTotals, type TermTotal } from './term-totals';

/** One run: a set of policies over one state. */
export interface SimulationRun {
  /** what it is called in the report, such as the names of its files */
  name: string;
  policies: readonly RulePolicy[];
  state: JsonObject;
  where: DocumentPlace;
  nowMs: number;
  operation?: string;
  /** names of the policies that are asked; @default all */
  only?: readonly string[];
  /** the one shard that is asked about */
  shard?: string;
}

/** What a run would do, and what the cluster is like before and after it. */
export interface SimulationReport {
  name: string;
  before: Impact;
  after: Impact;
  moves: number;
  additions: number;
  removals: number;
  cost_change: number;
  steps: (JsonObject & { kind: string; sentence: string })[];
  refusals: string[];
  noncompliant: Record<string, number>;
  /** of the objective, by action */
  terms: TermTotal[];
}

/**
 * Carries out on a copy of the state what the policies would do, in its order. Without an operation every policy is asked, each
 * for its own. Nothing here looks at a clock or rolls dice: the same run has the same report.
 *
 * @throws GateError ConfigInvalid with the faults of the state
 */
export function simulate(run: SimulationRun): SimulationReport {
  const { name, policies, nowMs, operation, only, shard } = run;
  const operations = operation === undefined ? operationsOf(policies) : [operation];
  const steps: DomainStep[] = [];
  const refusals: string[] = [];
  const decided: RulesAnswer['actions'] = [];
  const noncompliant: Record<string, number> = {};
  const read = (document: JsonObject, asked: string | undefined) =>
    shardDomain.readState(document, run.where, {
      nowMs,
      ...(asked === undefined ? {} : { operation: asked }),
      ...(shard === undefined ? {} : { subject: shard }),
    });
  let document = run.state;
  const start = ownState(read(document, operation)).state;
  const arrangement = new Arrangement(start);
  const before = impactOf(arrangement);
  for (const asked of operations) {
    const answer = answerRules(policies, read(document, asked), shardDomain, {
      operation: asked,
      scores: false,
      ...(only === undefined ? {} : { policies: only }),
      ...(shard === undefined ? {} : { ofSubjectsAlone: true }),
    });
    const found = answer.actions.flatMap((action) => action.steps);
    document = afterSteps(document, found, arrangement);
    steps.push(...found);
    decided.push(...answer.actions);
    refusals.push(...answer.refusals.map(({ sentence }) => sentence));
    Object.assign(noncompliant, unmetSubjects(answer));
  }
  const after = impactOf(arrangement);
  const count = (kind: string) => steps.filter((step) => step.kind === kind).length;
  return {
    name,
    before,
    after,
    moves: count('move'),
    additions: count('add'),
    removals: count('remove'),
    cost_change: Number((after.cost - before.cost).toFixed(6)),
    steps: steps.map(({ kind, settings, sentence }) => ({ ...settings, kind, sentence })),
    refusals,
    noncompliant,
    terms: termTotals(decided),
  };
}

/** A state's document as steps leave it: with the replicas and the usages that are predicted. The arrangement is stepped along. */
function afterSteps(document: JsonObject, steps: readonly DomainStep[], arrangement: Arrangement): JsonObject {
  for (const step of steps) arrangement.apply(ofDomainStep(step));
  const shards = (document.shards ?? []) as JsonObject[];
  const touched = new Set(steps.map(({ subject }) => subject));
  const replicasOf = (id: string) => arrangement.placesOf(id).filter(({ phase }) => phase !== 'arriving');
  return {
    ...document,
    nodes: (document.nodes as JsonObject[]).map((node) => {
      const load = arrangement.loadOf(node.id as string);
      const usages = MEASURES.flatMap((measure, at) =>
        measure.endsWith('_usage') && node[measure] !== undefined ? [[measure, load[at]!] as const] : [],
      );
      return { ...node, ...Object.fromEntries(usages) };
    }),
    shards: shards.map((shard) => {
      const id = shard.id as string;
      return touched.has(id) ? { ...shard, replicas: replicasOf(id).map(({ node }) => node) } : shard;
    }),
  };
}

/** The operations of which there are policies, in the order of the domain. */
function operationsOf(policies: readonly RulePolicy[]): string[] {
  const types = new Set(policies.map(({ type }) => type));
  const asked = [...types].flatMap((type) => shardDomain.types.get(type)!.operations);
  return Object.keys(shardDomain.operations).filter((operation) => asked.includes(operation));
}
