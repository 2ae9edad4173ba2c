import { Type } from '../platform/documents/typebox';
import type { JsonValue } from '../kernel/json';
import { validate } from '../platform/documents/validate';
import type { DomainRecord } from './audit-record';

const Text = (maxLength: number) => Type.String({ minLength: 1, maxLength });

/** A record of what a person did by a command: no decision of a policy, and nothing of a deployment. */
const CommandRecord = Type.Object(
  {
    schemaVersion: Type.Literal(2),
    domain: Type.Literal('images'),
    subject: Text(512),
    part: Type.String({ maxLength: 512 }),
    decisionID: Text(200),
    kind: Type.Union(['created', 'updated', 'deleted', 'rollback', 'acted'].map((kind) => Type.Literal(kind))),
    timestamp: Text(40),
    actor: Text(255),
    reason: Type.Optional(Type.String({ maxLength: 10_000 })),
    refersTo: Type.Optional(Text(200)),
    policySHA: Type.Optional(Text(200)),
    reasons: Type.Array(Type.String(), { maxItems: 0 }),
    usedFacts: Type.Array(Type.Unknown(), { maxItems: 0 }),
    errorDetails: Type.Array(Type.Object({ type: Text(200), message: Text(10_000) }), { maxItems: 10 }),
    details: Type.Record(Type.String(), Type.Unknown()),
  },
  { additionalProperties: false },
);

/** @throws GateError ConfigInvalid with every fault */
export function readCommandRecord(body: JsonValue): DomainRecord {
  return validate<DomainRecord>(CommandRecord, body, { file: 'the record' });
}
