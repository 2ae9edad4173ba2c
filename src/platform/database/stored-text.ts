/** PostgreSQL's text and JSONB hold neither U+0000 nor half a surrogate pair; copies of a text for SQL show U+FFFD there. */
export function toText(text: string): string {
  return text.replace(/\0|\p{Surrogate}/gu, '\uFFFD');
}

/** JSON for a JSONB column, in which SQL can look things up; what must come back exactly is kept as text beside it. */
export function toJsonb(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'string') return toText(inner);
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, held]) => [toText(key), held]));
  });
}
