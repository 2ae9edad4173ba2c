import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { SearchAttributePair } from '@temporalio/common';

/** A search attribute as it should be; null where it should have no value. */
export interface ShownAttribute {
  key: SearchAttributePair['key'];
  value: string | null;
}

/** What a workflow shows of its state, in the words of its domain. */
export interface Shown {
  /** Markdown for the Temporal UI */
  details(): string;
  attributes(): readonly ShownAttribute[];
}

/** Search attributes as last written, by name: carried through continue-as-new, which keeps their values. */
export type CarriedAttributes = [string, string | null][];

/** Search attributes of a workflow as last written, by name. */
export type WrittenAttributes = Map<string, string | null>;

/** How people see a workflow without our tools: Temporal's current details and search attributes. */
export class WorkflowView {
  private written: WrittenAttributes;

  constructor(
    private readonly shown: Shown,
    carried: CarriedAttributes = [],
  ) {
    this.written = new Map(carried);
  }

  /** Shows the state in the current details; costs no history event. */
  publish(): void {
    setCurrentDetails(this.shown.details());
  }

  /** Writes the search attributes that changed, in one upsert (one history event), or none. */
  showAttributes(): void {
    const changed = this.shown.attributes().filter(({ key, value }) => (this.written.get(key.name) ?? null) !== value);
    if (changed.length === 0) return;
    for (const { key, value } of changed) this.written.set(key.name, value);
    upsertSearchAttributes(changed as SearchAttributePair[]);
  }

  /** From now on `written` tells what the workflow has, which others write to as well. */
  share(written: WrittenAttributes): void {
    if (written.size === 0) for (const [name, value] of this.written) written.set(name, value);
    this.written = written;
  }

  carried(): CarriedAttributes {
    return [...this.written];
  }
}
