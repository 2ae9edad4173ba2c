/** Operating systems and processors that the publishers build for, in Go's words. */
export interface Platform {
  os: 'linux' | 'darwin';
  arch: 'amd64' | 'arm64';
}

/** One file of a release. */
export interface ReleaseAsset {
  name: string;
  /** the binary's name inside a tar.gz; absent when the asset is the binary itself */
  member?: string;
}

/** What the project needs to know of a single-binary tool: one pinned version, and the ways to get it. */
export interface ToolSpec {
  version: string;
  /** what it is here for, in a few words for people */
  purpose: string;
  /** how long `go install` takes with nothing cached: `about 3 minutes` */
  buildTakes: string;
  /** environment variable that names a binary and wins over everything */
  variable: string;
  /** release folder on the publisher's site, without a slash at the end */
  releaseUrl: string;
  asset(platform: Platform): ReleaseAsset;
  /** what `go install` builds: a package of the module */
  goPackage: string;
  /** `path@version`, whose sum is pinned */
  goModule: string;
  /** linker flags for it, where the publisher's own build sets what the tool prints of its version */
  goLinkerFlags?: string;
  versionArgs: readonly string[];
  /** whether what the tool prints of its version is one that the project is tested with */
  accepts(printed: string): boolean;
}

export type ToolName = 'temporal' | 'opa' | 'crane' | 'versitygw' | 'alertmanager' | 'grpcurl';

const uname = ({ os, arch }: Platform): string =>
  `${os === 'linux' ? 'Linux' : 'Darwin'}_${arch === 'amd64' ? 'x86_64' : 'arm64'}`;

/** What is downloaded or built must be what `pinned-digests.ts` says. */
export const TOOLS: Readonly<Record<ToolName, ToolSpec>> = {
  temporal: {
    version: '1.5.1',
    purpose: 'a Temporal server for development',
    buildTakes: 'about 3 minutes',
    variable: 'PLANNING_ENGINE_TEMPORAL',
    releaseUrl: 'https://github.com/temporalio/cli/releases/download/v1.5.1',
    asset: ({ os, arch }) => ({
      name: `temporal_cli_1.5.1_${os}_${arch}.tar.gz`,
      member: 'temporal',
    }),
    goPackage: 'github.com/temporalio/cli/cmd/temporal@v1.5.1',
    goModule: 'github.com/temporalio/cli@v1.5.1',
    versionArgs: ['--version'],
    // Built from source the CLI calls itself 0.0.0-DEV; the version of the server inside tells which one it is.
    accepts: (printed) => /version 1\.5\.1\b/.test(printed) || /version 0\.0\.0-DEV \(Server 1\.29\.1\b/.test(printed),
  },
  opa: {
    version: '1.22.2',
    purpose: 'the compiler of Rego policies',
    buildTakes: 'about 75 seconds',
    variable: 'PLANNING_ENGINE_OPA',
    releaseUrl: 'https://github.com/open-policy-agent/opa/releases/download/v1.22.2',
    asset: ({ os, arch }) => {
      const name = os === 'darwin' && arch === 'amd64' ? 'opa_darwin_amd64' : `opa_${os}_${arch}_static`;
      return { name };
    },
    goPackage: 'github.com/open-policy-agent/opa@v1.22.2',
    goModule: 'github.com/open-policy-agent/opa@v1.22.2',
    versionArgs: ['version'],
    accepts: (printed) => /^Version: 1\.22\.2$/m.test(printed),
  },
  crane: {
    version: '0.22.1',
    purpose: 'a client of container registries',
    buildTakes: 'about 20 seconds',
    variable: 'PLANNING_ENGINE_CRANE',
    releaseUrl: 'https://github.com/google/go-containerregistry/releases/download/v0.22.1',
    asset: (platform) => ({
      name: `go-containerregistry_${uname(platform)}.tar.gz`,
      member: 'crane',
    }),
    goPackage: 'github.com/google/go-containerregistry/cmd/crane@v0.22.1',
    goModule: 'github.com/google/go-containerregistry@v0.22.1',
    versionArgs: ['version'],
    accepts: (printed) => /^v?0\.22\.1\s*$/.test(printed),
  },
  versitygw: {
    version: '1.8.0',
    purpose: 'an S3 server on this machine',
    buildTakes: 'about 2 minutes',
    variable: 'PLANNING_ENGINE_VERSITYGW',
    releaseUrl: 'https://github.com/versity/versitygw/releases/download/v1.8.0',
    asset: (platform) => ({
      name: `versitygw_v1.8.0_${uname(platform)}.tar.gz`,
      member: 'versitygw',
    }),
    goPackage: 'github.com/versity/versitygw/cmd/versitygw@v1.8.0',
    goModule: 'github.com/versity/versitygw@v1.8.0',
    goLinkerFlags: '-X main.Version=1.8.0',
    versionArgs: ['--version'],
    accepts: (printed) => /\bv?1\.8\.0\b/.test(printed),
  },
  // For tests alone.
  alertmanager: {
    version: '0.28.1',
    purpose: 'a receiver of alerts, for tests',
    buildTakes: 'about 2 minutes',
    variable: 'PLANNING_ENGINE_ALERTMANAGER',
    releaseUrl: 'https://github.com/prometheus/alertmanager/releases/download/v0.28.1',
    asset: ({ os, arch }) => ({
      name: `alertmanager-0.28.1.${os}-${arch}.tar.gz`,
      member: 'alertmanager',
    }),
    goPackage: 'github.com/prometheus/alertmanager/cmd/alertmanager@v0.28.1',
    goModule: 'github.com/prometheus/alertmanager@v0.28.1',
    goLinkerFlags: '-X github.com/prometheus/common/version.Version=0.28.1',
    versionArgs: ['--version'],
    accepts: (printed) => /^alertmanager, version 0\.28\.1\b/.test(printed),
  },
  grpcurl: {
    version: '1.9.3',
    purpose: 'a client of gRPC, for tests',
    buildTakes: 'about 25 seconds',
    variable: 'PLANNING_ENGINE_GRPCURL',
    releaseUrl: 'https://github.com/fullstorydev/grpcurl/releases/download/v1.9.3',
    asset: ({ os, arch }) => ({
      name: `grpcurl_1.9.3_${os === 'linux' ? 'linux' : 'osx'}_${arch === 'amd64' ? 'x86_64' : 'arm64'}.tar.gz`,
      member: 'grpcurl',
    }),
    goPackage: 'github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3',
    goModule: 'github.com/fullstorydev/grpcurl@v1.9.3',
    goLinkerFlags: '-X main.version=v1.9.3',
    versionArgs: ['-version'],
    accepts: (printed) => /^\S+ v?1\.9\.3\s*$/.test(printed),
  },
};

export function isToolName(name: string): name is ToolName {
  return Object.hasOwn(TOOLS, name);
}

/** The publishers' words for Node's `process.platform` and `process.arch`; undefined where nothing is published. */
export function platformOf(platform: string, arch: string): Platform | undefined {
  if (platform !== 'linux' && platform !== 'darwin') return undefined;
  if (arch === 'x64') return { os: platform, arch: 'amd64' };
  return arch === 'arm64' ? { os: platform, arch: 'arm64' } : undefined;
}
