import type { Fault } from '../../kernel/failures';
import { GateError } from '../../kernel/failures';
import type { JsonObject, JsonValue } from '../../kernel/json';
import { readPolicies, type PolicySet, type RuleSource } from '../document/read-policies';
import type { RuleDomain } from '../domain';
import { PolicyIndex } from '../matching/policy-index';
import type { PolicyPin } from '../store/stored-execution';
import type { DocumentText, SetDelta } from './messages';

interface HeldDocument {
  name: string;
  revision: number;
  document: JsonValue;
}

/** The stored documents of one revision of the set, read and compiled when they are first asked for. */
export class HeldSet {
  private readonly documents = new Map<string, HeldDocument>();
  private read: { set: PolicySet } | { error: GateError } | undefined;
  private compiled: PolicyIndex | undefined;

  /** revision of the set */
  key = 0;

  constructor(private readonly domain: RuleDomain) {}

  apply({ key, documents }: SetDelta): void {
    this.key = key;
    for (const { id, name, revision, text } of documents) {
      if (text === undefined) this.documents.delete(id);
      else this.documents.set(id, { name, revision, document: JSON.parse(text) as JsonValue });
    }
    this.read = undefined;
    this.compiled = undefined;
  }

  /** @throws GateError ConfigInvalid where the documents are no sound set (a version of the program that knows more may have stored them) */
  policies(): PolicySet {
    if (this.read === undefined) {
      try {
        this.read = { set: readPolicies([...this.documents.values()].map(stored), this.domain) };
      } catch (error) {
        if (!(error instanceof GateError)) throw error;
        this.read = { error };
      }
    }
    if ('error' in this.read) throw this.read.error;
    return this.read.set;
  }

  index(): PolicyIndex {
    return (this.compiled ??= new PolicyIndex(this.policies().policies, this.domain));
  }

  /** Which revisions policies of these names are. */
  pins(policies: readonly { name: string; type: string }[]): PolicyPin[] {
    const byName = new Map([...this.documents].map(([id, { name, revision }]) => [name, { id, revision }]));
    return policies.map(({ name, type }) => {
      const { id, revision } = byName.get(name)!;
      return { policyId: id, name, type, revision };
    });
  }

  /** What is wrong with the set as it is. */
  faults(): readonly Fault[] {
    try {
      this.policies();
      return [];
    } catch (error) {
      if (!(error instanceof GateError)) throw error;
      return error.faults;
    }
  }

  /** The sources of the set with one document changed, which is called `file`. */
  sourcesWith({ id, text }: DocumentText, file: string): RuleSource[] {
    const others = [...this.documents].filter(([other]) => other !== id).map(([, held]) => stored(held));
    if (text === undefined) return others;
    return [...others, { where: { file }, document: JSON.parse(text) as JsonValue }];
  }

  /** The sources of the set with documents put in the place of those of the same name, or beside them. */
  sourcesOver(documents: readonly JsonObject[], file: (document: JsonObject, at: number) => string): RuleSource[] {
    const replaced = new Set(documents.map(({ name }) => name));
    return [
      ...[...this.documents.values()].filter(({ name }) => !replaced.has(name)).map(stored),
      ...documents.map((document, at) => ({ where: { file: file(document, at) }, document })),
    ];
  }
}

function stored({ name, document }: HeldDocument): RuleSource {
  return { where: { file: `stored policy ${name}` }, document };
}
