import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export interface ComposeService {
  image: string;
  entrypoint?: string[];
  command?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
}

export const COMPOSE_TEXT = readFileSync(join(__dirname, '..', '..', 'docker-compose.yml'), 'utf8');

/** The file as Compose sees it, merges resolved; variables are left as they stand. */
export const COMPOSE = parse(COMPOSE_TEXT, { merge: true }) as { services: Record<string, ComposeService> };

/** What Compose makes of a text: `${NAME:-default}` with the variable unset, and `$$` for a dollar sign. */
export function interpolated(text: string): string {
  return text.replace(/\$\$|\$\{[A-Z0-9_]+:-([^}]*)\}/g, (whole, fallback: string | undefined) =>
    whole === '$$' ? '$' : (fallback ?? ''),
  );
}
