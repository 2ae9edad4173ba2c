import { describe, expect, it } from '@jest/globals';
import { listPages, type NamesPage } from '../../../src/images/registries/list-pages';

const all = (length: number) => Array.from({ length }, (_none, index) => `t${String(index).padStart(3, '0')}`);

/** What registries of several makes answer, by the query. */
const MAKES: Record<string, (names: string[], query: URLSearchParams) => NamesPage> = {
  'links its pages': (names, query) => {
    const rest = names.filter((name) => name > (query.get('last') ?? ''));
    const page = rest.slice(0, Number(query.get('n')));
    return { names: page, ...(page.length < rest.length ? { next: `/list?n=2&last=${page.at(-1)}` } : {}) };
  },
  'cuts off at n, and knows last': (names, query) => {
    const rest = names.filter((name) => name > (query.get('last') ?? ''));
    return { names: rest.slice(0, query.has('n') ? Number(query.get('n')) : undefined) };
  },
  'cuts off at n, and does not know last': (names, query) => ({
    names: names.slice(0, query.has('n') ? Number(query.get('n')) : undefined),
  }),
  'gives everything at once': (names) => ({ names }),
};

async function listed(make: keyof typeof MAKES, length: number): Promise<{ names: string[]; asked: number }> {
  let asked = 0;
  const ask = async (path: string): Promise<NamesPage> => {
    asked += 1;
    return MAKES[make]!(all(length), new URL(path, 'http://registry').searchParams);
  };
  const names: string[] = [];
  for await (const page of listPages('/list', 2, ask, () => new Error('no end'))) names.push(...page);
  return { names, asked };
}

describe('a list of a registry that', () => {
  const cases = Object.keys(MAKES).flatMap((make) => [0, 1, 2, 3, 4, 5].map((length) => [make, length] as const));
  it.each(cases)('%s is read whole, each name once: %i names in pages of 2', async (make, length) => {
    expect((await listed(make, length)).names).toEqual(all(length));
  });

  it('is short, or links its pages, costs no further question', async () => {
    expect((await listed('gives everything at once', 5)).asked).toBe(1);
    expect((await listed('cuts off at n, and knows last', 1)).asked).toBe(1);
    expect((await listed('links its pages', 4)).asked).toBe(2);
  });

  it('links to itself is refused', async () => {
    const ask = async () => ({ names: ['a'], next: '/list?n=2' });
    const reading = (async () => {
      for await (const page of listPages('/list', 2, ask, () => new Error('no end'))) expect(page).toEqual(['a']);
    })();
    await expect(reading).rejects.toThrow('no end');
  });
});
