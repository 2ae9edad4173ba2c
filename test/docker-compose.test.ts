import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

interface Service {
  image: string;
  ports?: string[];
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
}
const { services } = parse(readFileSync('docker-compose.yml', 'utf8')) as { services: Record<string, Service> };

describe('docker-compose.yml', () => {
  it('starts Temporal with PostgreSQL and its UI', () => {
    expect(Object.keys(services)).toEqual(expect.arrayContaining(['postgresql', 'temporal', 'temporal-ui']));
  });

  it.each(Object.entries(services))(
    '%s is pinned, checked for health and published on loopback only',
    (_name, service) => {
      expect(service.image).toMatch(/^[a-z0-9./-]+:\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$/);
      expect(service.healthcheck?.test.length).toBeGreaterThan(1);
      for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
      for (const [needed, { condition }] of Object.entries(service.depends_on ?? {})) {
        expect(services).toHaveProperty([needed]);
        expect(condition).toBe('service_healthy');
      }
    },
  );
});
