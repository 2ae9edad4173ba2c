import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Declares metrics on one registry. A name that the registry holds already is an error. */
export interface MetricDeclarations {
  counter<T extends string>(name: string, help: string, labelNames?: T[]): Counter<T>;
  gauge<T extends string>(name: string, help: string, labelNames?: T[]): Gauge<T>;
  /** @param buckets upper bounds in seconds, ascending */
  histogram<T extends string>(name: string, help: string, buckets: number[], labelNames?: T[]): Histogram<T>;
}

/** What the domains declare their metrics with: each keeps names and labels in its own `service/` folder. */
export function metricsOn(registry: Registry): MetricDeclarations {
  const registers = [registry];
  return {
    counter: (name, help, labelNames = []) => new Counter({ name, help, labelNames, registers }),
    gauge: (name, help, labelNames = []) => new Gauge({ name, help, labelNames, registers }),
    histogram: (name, help, buckets, labelNames = []) => new Histogram({ name, help, labelNames, buckets, registers }),
  };
}
