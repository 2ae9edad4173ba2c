import { Type, type Static } from '@sinclair/typebox';
import type { JsonObject } from '../../src/kernel/json';
import { strict } from '../../src/platform/documents/schema-types';
import { validate } from '../../src/platform/documents/validate';
import type { DomainQuestion, PolicyType, RuleDomain } from '../../src/rules/domain';

/** Parcels are put on lorries: a domain that the engine was not written for. */
const LOADING: PolicyType = {
  name: 'loading',
  description: 'which lorry takes a parcel',
  actions: { load: Type.Object({ lane: Type.Integer({ minimum: 1 }), note: Type.Optional(Type.String()) }, strict) },
  operations: ['load_parcel'],
  contradiction: (one, other) =>
    one.settings.lane === other.settings.lane ? undefined : `lane ${one.settings.lane} and lane ${other.settings.lane}`,
  merge: (one, other) => ({ name: one.name, settings: { ...other.settings, ...one.settings } }),
};
const YardSchema = Type.Object(
  {
    depot: Type.Optional(Type.Object({})),
    lorries: Type.Array(
      Type.Object({ id: Type.String(), free: Type.Optional(Type.Number()), in_repair: Type.Optional(Type.Boolean()) }),
    ),
    parcels: Type.Array(
      Type.Object({ id: Type.String(), labels: Type.Optional(Type.Record(Type.String(), Type.String())) }),
    ),
  },
  strict,
);
type Yard = Static<typeof YardSchema>;

export const PARCELS: RuleDomain = {
  name: 'parcels',
  types: new Map([['loading', LOADING]]),
  operations: { load_parcel: 'put a parcel on a lorry' },
  functions: new Map([
    [
      'after',
      {
        name: 'after',
        description: 'whether a time has passed',
        argumentFaults: ({ at }) => (typeof at === 'number' ? [] : ['expected at to be a number']),
        evaluate: ({ at }, { nowMs }) => nowMs > (at as number),
      },
    ],
  ]),
  prefixes: { subject: 'parcel', candidate: 'lorry', others: ['depot'] },
  metrics: {
    parcel: { id: 'text', weight: 'number', labels: 'object' },
    lorry: { id: 'text', free: 'number' },
    depot: { open: 'boolean', queue: 'number' },
  },
  readState(document, where, { nowMs, subject: only }) {
    const yard = validate(YardSchema, document, where);
    const subjects = [...yard.parcels].sort(byId).map((parcel) => ({
      id: parcel.id,
      labels: parcel.labels ?? {},
      metrics: { parcel: parcel as JsonObject },
    }));
    const candidates = [...yard.lorries].sort(byId).map((lorry) => ({
      id: lorry.id,
      metrics: { lorry: lorry as JsonObject },
      ...(lorry.in_repair === true ? { barred: 'in repair' } : {}),
    }));
    return {
      evaluation: { nowMs, metrics: { depot: (yard.depot ?? {}) as JsonObject }, candidates },
      subjects: subjects.filter(({ id }) => only === undefined || id === only),
      observedAtMs: nowMs,
      own: yard,
    };
  },
  decide,
};

/** The lorry with the most room left takes the parcel. */
function decide({ subject, state, actions, earlier = [] }: DomainQuestion): ReturnType<RuleDomain['decide']> {
  const [wanted] = actions;
  if (wanted === undefined || subject.id === undefined) return { candidates: [], steps: [], refusals: [] };
  const yard = state.own as Yard;
  const taken = (lorry: string) => earlier.filter(({ settings }) => settings.lorry === lorry).length;
  const dropped = new Map(wanted.candidates?.map(({ id, kept, reason }) => [id, kept ? '' : reason]));
  const candidates = state.evaluation.candidates.map(({ id, barred }) => {
    const reason = barred ?? dropped.get(id) ?? '';
    const free = yard.lorries.find((lorry) => lorry.id === id)?.free ?? 0;
    const scoreParts = { free, taken: -taken(id) };
    return reason === ''
      ? { id, kept: true, reason, score: free - taken(id), scoreParts }
      : { id, kept: false, reason };
  });
  const best = candidates.reduce<(typeof candidates)[number] | undefined>(
    (one, other) => (other.kept && other.score! > (one?.score ?? -Infinity) ? other : one),
    undefined,
  );
  if (best === undefined) return { candidates, steps: [], refusals: [`no lorry can take ${subject.id}`] };
  const settings = { parcel: subject.id, lorry: best.id, ...wanted.action.settings };
  const step = { kind: 'load', action: 0, subject: subject.id, settings, sentence: `${best.id} takes ${subject.id}` };
  return { candidates, steps: [step], refusals: [] };
}

function byId(one: { id: string }, other: { id: string }): number {
  return one.id < other.id ? -1 : 1;
}
