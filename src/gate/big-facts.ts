import type { PayloadCodec } from '@temporalio/common';
import type { PartRef, PartStore } from '../audit/part-store';
import { BoundedMap } from '../kernel/bounded-map';
import { sha256 } from '../kernel/digest';
import { FailureType, GateError } from '../kernel/failures';
import { openSealedBytes, sealBytes } from '../platform/temporal/encryption/sealed-bytes';
import type { Fact } from './facts/fact';

/** Facts that are too big to pass through Temporal: put into the store of record until their decision is recorded. */
export interface BigFacts {
  /** durable when it resolves; @throws GateError AuditWriteFailed */
  put(facts: readonly Fact[]): Promise<PartRef>;
  /** @throws GateError FactInvalid when they are gone or were altered, AuditUnavailable when they cannot be read */
  get(ref: PartRef): Promise<Fact[]>;
}

/** Those put or read last, so that a decision which is evaluated and recorded on one worker reads none of them again. */
const KEPT = 4;

/** @param codec seals what is put aside, since a record is masked and its facts are not; absent leaves it in the clear */
export function createBigFacts(parts: PartStore, codec: PayloadCodec | undefined): BigFacts {
  const known = new BoundedMap<string, Fact[]>(KEPT);
  return {
    put: async (facts) => {
      const ref = await parts.put(await sealBytes(Buffer.from(JSON.stringify(facts)), codec));
      known.set(ref.sha256, [...facts]);
      return ref;
    },
    get: async (ref) => {
      const found = known.get(ref.sha256);
      if (found !== undefined) return found;
      const bytes = await parts.get(ref);
      if (bytes === undefined) throw lost(ref, `they are no longer in ${parts.where}`);
      if (sha256(bytes) !== ref.sha256) throw lost(ref, `what is in ${parts.where} was altered`);
      const facts = JSON.parse(Buffer.from(await openSealedBytes(bytes, codec)).toString('utf8')) as Fact[];
      known.set(ref.sha256, facts);
      return facts;
    },
  };
}

function lost({ bytes, sha256: digest }: PartRef, why: string): GateError {
  const message = `The facts of this decision (${bytes} bytes, SHA-256 ${digest}) cannot be had: ${why}`;
  return new GateError(FailureType.FactInvalid, message, [{ type: FailureType.FactInvalid, message, where: 'facts' }]);
}
