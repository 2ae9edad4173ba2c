import type { JsonObject } from '../../src/kernel/json';
import type { ReleaseConfig } from '../../src/releases/config/release-config';
import type { PolicyBundle } from '../../src/rego/bundle/policy-bundle';
import type { LoadedConfig, NamedRelease } from '../../src/releases/sources/release-source';

export function aPolicy(sha: string): PolicyBundle {
  return {
    sha,
    wasm: new Uint8Array(),
    plan: '{}',
    data: {},
    inputSchema: { type: 'object' },
    reads: { facts: [], inputPaths: [], configPaths: [], collections: [], wholeInput: false },
    entrypoint: 'gate/response',
    sources: {},
  };
}

export function aConfig(configRev: string): LoadedConfig {
  const configDocument: JsonObject = { limits: { maxDelta: 500 } };
  return {
    config: {
      ...configDocument,
      allowedClockSkew: '2s',
      evaluation: { deadline: '250ms', memoryMiB: 16 },
    } as unknown as ReleaseConfig,
    configDocument,
    configRev,
  };
}

/** A store of releases: what is published can be read, and what is read is counted. */
export class FakeReleaseStore {
  manifestReads = 0;
  policyLoads = 0;
  /** runs when a policy is loaded, before it is there: somebody publishes in the meantime */
  whileLoading: (() => void) | undefined;
  /** reading the manifest waits for this */
  hanging: Promise<unknown> | undefined;
  private published = { version: 'v1', policy: 'p1' as string | Error, config: 'c1' as string | Error };
  private revision = 1;
  private outage: Error | undefined;

  publish(change: { version?: string; policy?: string | Error; config?: string | Error }): void {
    this.published = { ...this.published, ...change };
    this.revision += 1;
  }

  /** the files are written again with what they hold */
  touch(): void {
    this.revision += 1;
  }

  fail(outage: Error | undefined): void {
    this.outage = outage;
  }

  readonly read = async (): Promise<NamedRelease> => {
    this.manifestReads += 1;
    await this.hanging;
    if (this.outage) throw this.outage;
    const { version } = this.published;
    return {
      manifest: { policy: 'policy', config: 'config', version },
      fingerprint: String(this.revision),
      loadPolicy: async () => {
        this.policyLoads += 1;
        const { policy } = this.published;
        this.whileLoading?.();
        if (policy instanceof Error) throw policy;
        return aPolicy(policy);
      },
      loadConfig: async () => {
        const { config } = this.published;
        if (config instanceof Error) throw config;
        return aConfig(config);
      },
    };
  };
}
