/** One page of a list, and the address of the next one where the registry links to it. */
export interface NamesPage {
  names: readonly string[];
  next?: string;
}

/**
 * A list of names, page by page. Some registries cut a list off at `n` and link to no next page: a full page without a link may not
 * be the last, so what comes after its last name is asked for. Where that repeats what is known, as of registries that know no
 * `last`, the whole list is asked for.
 *
 * @param path without a query
 * @param n names of a page
 * @param ask answers a path and its query
 * @param endless thrown for links in a circle
 */
export async function* listPages(
  path: string,
  n: number,
  ask: (path: string) => Promise<NamesPage>,
  endless: () => Error,
): AsyncIterable<readonly string[]> {
  const asked = new Set<string>();
  const known = new Set<string>();
  let hasLinks = false;
  for (let next: string | undefined = `${path}?n=${n}`; next !== undefined;) {
    if (asked.has(next)) throw endless();
    asked.add(next);
    const { names, next: linked }: NamesPage = await ask(next);
    if (linked !== undefined) {
      hasLinks = true;
      yield names;
      next = linked;
      continue;
    }
    const news = names.filter((name) => !known.has(name));
    for (const name of news) known.add(name);
    if (news.length > 0) yield news;
    if (hasLinks || next === path || names.length !== n) return;
    next = news.length > 0 ? `${path}?n=${n}&last=${encodeURIComponent(names.at(-1)!)}` : path;
  }
}
