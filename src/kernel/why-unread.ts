const REASONS: Partial<Record<string, string>> = {
  ENOENT: 'there is none',
  EISDIR: 'it is a directory',
  EACCES: 'it may not be read',
  EPERM: 'it may not be read',
  ENOTDIR: 'a part of its path is no directory',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
};

/** Why a file or a folder could not be read, to follow "expected a file, but"; the system's code where it has no words here. */
export function whyUnread(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
  return REASONS[code] ?? `it could not be read (${code})`;
}
