import type { Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { SEARCH_ATTRIBUTES } from '../workflows/search-attributes';

export interface SearchAttributeSetup {
  created: string[];
  existing: string[];
}

const { IndexedValueType } = temporal.api.enums.v1;

/**
 * Creates those of the product's search attributes that `namespace` lacks. Safe to repeat, and to run twice at once.
 *
 * @throws Error that names every attribute which exists with another type than Keyword; nothing is created then
 */
export async function setupSearchAttributes(
  connection: Pick<Connection, 'operatorService'>,
  namespace: string,
): Promise<SearchAttributeSetup> {
  const names = SEARCH_ATTRIBUTES.map((key) => key.name);
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const typeOf = (name: string): number | undefined => customAttributes?.[name] ?? undefined;
  const keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD;
  const existing = names.filter((name) => typeOf(name) !== undefined);
  const conflicts = existing.filter((name) => typeOf(name) !== keyword);
  if (conflicts.length > 0) {
    const found = conflicts.map((name) => `${name} is ${typeWord(typeOf(name))}`).join(', ');
    throw new Error(
      `Expected the search attributes of namespace ${namespace} to be of type Keyword, but ${found}. ` +
        'Remove them, or use another namespace; nothing was created.',
    );
  }
  const created = names.filter((name) => typeOf(name) === undefined);
  if (created.length > 0) {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(created.map((name) => [name, keyword])),
    });
  }
  return { created, existing };
}

function typeWord(type: number | undefined): string {
  const word = IndexedValueType[type ?? 0] ?? 'unknown';
  const [first = '', ...rest] = word.replace('INDEXED_VALUE_TYPE_', '').toLowerCase();
  return first.toUpperCase() + rest.join('');
}
