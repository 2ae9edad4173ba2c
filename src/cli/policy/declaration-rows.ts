import type { Declaration } from '../../rego/declarations/declaration';

/** A declaration as commands print it. */
export interface DeclarationRow {
  where: string;
  optional: string[];
  builtin_errors?: 'undefined';
  comparisons?: 'as-opa';
  /** the rules that it covers, `gate.rego:14-20` */
  covers: string[];
}

export function declarationRow(declaration: Declaration): DeclarationRow {
  const { where, ranges, optional, builtinErrorsAreUndefined, comparesAsOpa } = declaration;
  return {
    where,
    optional: optional.map(({ text }) => text),
    ...(builtinErrorsAreUndefined ? { builtin_errors: 'undefined' as const } : {}),
    ...(comparesAsOpa ? { comparisons: 'as-opa' as const } : {}),
    covers: ranges.map(({ file, first, last }) => (first === last ? `${file}:${first}` : `${file}:${first}-${last}`)),
  };
}

export function declarationLine(row: DeclarationRow): string {
  const said = [
    ...(row.optional.length > 0 ? [`optional ${row.optional.join(', ')}`] : []),
    ...(row.builtin_errors === undefined ? [] : ['builtin_errors: undefined']),
    ...(row.comparisons === undefined ? [] : ['comparisons: as-opa']),
  ];
  return `declared at ${row.where}: ${said.join('; ')} (for ${row.covers.join(', ')})`;
}
