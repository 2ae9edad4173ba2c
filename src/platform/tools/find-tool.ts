import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { standardError } from '../observability/terminal';
import { downloadTool } from './install/download';
import { goInstall } from './install/go-install';
import { withLock } from './install/install-lock';
import { createProgress, type Progress } from './install/progress';
import { runTool } from './install/run-tool';
import { isExecutableFile, searchPath } from './install/search-path';
import { userCacheFolder } from '../files/user-folders';
import { PINNED_DIGESTS, PINNED_MODULES } from './pinned-digests';
import { platformOf, TOOLS, type ToolName, type ToolSpec } from './tool-spec';

export type { ToolName } from './tool-spec';

export interface FoundTool {
  path: string;
  /** the pinned version, or what the tool printed when an environment variable chose another */
  version: string;
  /** in words, where it came from: `PLANNING_ENGINE_OPA`, `PATH`, `cache`, `download`, `go install` */
  from: string;
}

/** For tests, and for machines behind a mirror; everything has a default. */
export interface FindToolOptions {
  /** @default process.env */
  env?: NodeJS.ProcessEnv;
  /** what is said to people; @default stderr */
  say?: (line: string) => void;
  /** @default 3000 */
  connectTimeoutMs?: number;
  /** @default `process.platform` and `process.arch` */
  platform?: { platform: string; arch: string };
  /** ends a download or a build under way */
  signal?: AbortSignal;
  /** SHA-256 by name of a published file @default what is pinned in the source */
  digests?: Readonly<Record<string, string>>;
}

/** A tool that was just installed is read from the disk, on a machine that may do much else. */
const VERSION_TIMEOUT_MS = 60_000;
/** The largest tool is about 100 MB: enough for 150 KB a second. */
const DOWNLOAD_TIMEOUT_MS = 600_000;
/** Building Temporal from source takes 3 minutes on 2 cores with nothing cached. */
const GO_TIMEOUT_MS = 1_800_000;

const memo = new Map<ToolName, Promise<FoundTool>>();

/**
 * The tool `name` in the pinned version: from its environment variable, the PATH, the project's cache folder
 * (`$XDG_CACHE_HOME/planning-engine/tools`), the publisher's download (its SHA-256 is pinned in the source), or
 * `go install` of the module with the pinned sum, in this order. Found once a process; a failure is not remembered. On stderr it says what takes time: what it installs, and how.
 *
 * @throws Error that names everything that was tried, and what was wrong with each
 */
export function findTool(name: ToolName, options: Pick<FindToolOptions, 'say' | 'signal'> = {}): Promise<FoundTool> {
  const known = memo.get(name);
  if (known !== undefined) return known;
  const search = locateTool(name, options);
  memo.set(name, search);
  search.catch(() => memo.delete(name));
  return search;
}

/** Finds or installs all of `names`, one after the other, so that progress stays readable. */
export async function ensureTools(
  names: readonly ToolName[],
  options: Pick<FindToolOptions, 'say' | 'signal'> = {},
): Promise<Record<string, FoundTool>> {
  const found: Record<string, FoundTool> = {};
  for (const name of names) found[name] = await findTool(name, options);
  return found;
}

/** What `findTool` does, without its memory. */
export async function locateTool(name: ToolName, options: FindToolOptions = {}): Promise<FoundTool> {
  const env = options.env ?? process.env;
  const say = options.say ?? ((line: string) => void standardError().write(`${line}\n`));
  const spec = TOOLS[name];
  const tried: string[] = [];
  const found =
    (await fromVariable(spec, env, say)) ??
    (await fromPath(name, spec, env, tried)) ??
    (await fromCache(name, spec, env, tried)) ??
    (await install(name, spec, { ...options, env, say }, tried));
  if (found === undefined) {
    throw new Error(
      `${name} ${spec.version} was not found and could not be installed. Tried:\n` +
        [`${spec.variable} is not set`, ...tried].map((line) => `  - ${line}`).join('\n') +
        `\nInstall ${name} ${spec.version} and put it on the PATH, or let ${spec.variable} name the binary.`,
    );
  }
  return found;
}

/** The tool where it is installed already, else undefined: looks, installs nothing, says nothing. */
export async function findInstalled(
  name: ToolName,
  env: NodeJS.ProcessEnv = process.env,
): Promise<FoundTool | undefined> {
  const spec = TOOLS[name];
  const silent = (): void => undefined;
  return (
    (await fromVariable(spec, env, silent)) ??
    (await fromPath(name, spec, env, [])) ??
    (await fromCache(name, spec, env, []))
  );
}

/** Where an installed tool is kept. */
export function cachedToolPath(name: ToolName, env: NodeJS.ProcessEnv = process.env): string {
  return join(userCacheFolder('tools', env), name, TOOLS[name].version, name);
}

async function printedVersion(path: string, spec: ToolSpec): Promise<string> {
  const { output } = await runTool(path, spec.versionArgs, { timeoutMs: VERSION_TIMEOUT_MS });
  return output.trim();
}

const firstLine = (text: string): string => text.split('\n')[0] ?? '';

/** A variable is somebody's explicit wish: another version is taken (with a note), and nothing else when it is wrong. */
async function fromVariable(
  spec: ToolSpec,
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<FoundTool | undefined> {
  const path = env[spec.variable];
  if (!path) return undefined;
  if (!(await isExecutableFile(path))) {
    throw new Error(`Expected ${spec.variable} to name an executable file, got ${path}`);
  }
  const printed = await printedVersion(path, spec);
  if (spec.accepts(printed)) return { path, version: spec.version, from: spec.variable };
  say(`${spec.variable}: expected version ${spec.version}, got ${firstLine(printed)}; using it all the same`);
  return { path, version: firstLine(printed), from: spec.variable };
}

async function fromPath(
  name: ToolName,
  spec: ToolSpec,
  env: NodeJS.ProcessEnv,
  tried: string[],
): Promise<FoundTool | undefined> {
  const candidates = await searchPath(name, env.PATH);
  if (candidates.length === 0) tried.push(`PATH: no ${name}`);
  for (const path of candidates) {
    const printed = await printedVersion(path, spec).catch((error: Error) => error.message);
    if (spec.accepts(printed)) return { path, version: spec.version, from: 'PATH' };
    tried.push(`PATH: passed over ${path}: expected version ${spec.version}, got ${firstLine(printed)}`);
  }
  return undefined;
}

async function fromCache(
  name: ToolName,
  spec: ToolSpec,
  env: NodeJS.ProcessEnv,
  tried: string[],
): Promise<FoundTool | undefined> {
  const path = cachedToolPath(name, env);
  // Not asked for its version: only a finished install is ever renamed to this place.
  if (await isExecutableFile(path)) return { path, version: spec.version, from: 'cache' };
  tried.push(`cache: no ${path}`);
  return undefined;
}

async function install(
  name: ToolName,
  spec: ToolSpec,
  options: FindToolOptions & { env: NodeJS.ProcessEnv; say: (line: string) => void },
  tried: string[],
): Promise<FoundTool | undefined> {
  const { env, say } = options;
  for (const note of tried.filter((line) => line.includes('passed over'))) say(`${name}: ${note}`);
  const target = cachedToolPath(name, env);
  const onWait = (pid: number | undefined): void =>
    say(`${name}: waiting for process ${pid ?? '?'}, which installs it`);
  const work = async (): Promise<FoundTool | undefined> => {
    // Whoever held the lock before may have installed it meanwhile.
    const meanwhile = await fromCache(name, spec, env, []);
    if (meanwhile !== undefined) return meanwhile;
    // Beside the target, so that the last step is a rename within one file system.
    say(
      `${name} ${spec.version} (${spec.purpose}) is not on this machine yet: it is installed once, into the cache folder`,
    );
    const folder = await mkdtemp(join(dirname(target), '.installing-'));
    try {
      const staged = join(folder, name);
      const from = await fill(name, spec, options, folder, staged, tried);
      if (from === undefined) return undefined;
      await chmod(staged, 0o755);
      const printed = await printedVersion(staged, spec).catch((error: Error) => error.message);
      if (!spec.accepts(printed)) {
        tried.push(`${from}: expected version ${spec.version}, got ${firstLine(printed)}`);
        return undefined;
      }
      await rename(staged, target);
      return { path: target, version: spec.version, from };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
  await mkdir(dirname(target), { recursive: true });
  return withLock(`${target}.lock`, work, { onWait, signal: options.signal });
}

/** Puts the binary at `staged` by the first way that works, and says which; the others' faults go to `tried`. */
async function fill(
  name: ToolName,
  spec: ToolSpec,
  options: FindToolOptions & { env: NodeJS.ProcessEnv; say: (line: string) => void },
  folder: string,
  staged: string,
  tried: string[],
): Promise<string | undefined> {
  const { env, say, signal } = options;
  const { platform, arch } = options.platform ?? process;
  const published = platformOf(platform, arch);
  const releaseUrl = env[`${spec.variable}_URL`] || spec.releaseUrl;
  const progress = createProgress(say);
  const asset = published && spec.asset(published);
  const sha256 = asset && (env[`${spec.variable}_SHA256`] || (options.digests ?? PINNED_DIGESTS)[asset.name]);
  if (asset === undefined) {
    tried.push(`download: nothing is published for ${platform} ${arch}`);
  } else if (sha256 === undefined) {
    tried.push(
      `download: the SHA-256 of ${asset.name} ${spec.version} is not pinned; ${spec.variable}_SHA256 gives it`,
    );
  } else {
    say(`${name}: downloading ${spec.version} from ${releaseUrl}`);
    try {
      await downloadTool(releaseUrl, { ...asset, sha256: sha256.toLowerCase() }, staged, {
        connectTimeoutMs: options.connectTimeoutMs ?? 3_000,
        totalTimeoutMs: DOWNLOAD_TIMEOUT_MS,
        onProgress: (received, total) => progress.bytes(received, total),
        signal,
      });
      return 'download';
    } catch (error) {
      signal?.throwIfAborted();
      tried.push(`download: ${(error as Error).message}`);
      say(`${name}: ${tried.at(-1)}`);
    } finally {
      progress.end();
    }
  }
  say(`${name}: building ${spec.goPackage} with go install instead; that takes ${spec.buildTakes} on 2 cores, once`);
  const building = showBuilding(name, spec, progress);
  try {
    const { goPackage, goModule, goLinkerFlags } = spec;
    const build = {
      package: goPackage,
      module: goModule,
      sum: PINNED_MODULES[goModule] ?? '',
      linkerFlags: goLinkerFlags,
    };
    await goInstall(build, name, folder, staged, {
      env,
      timeoutMs: GO_TIMEOUT_MS,
      onLine: building.said,
      signal,
    });
    return 'go install';
  } catch (error) {
    signal?.throwIfAborted();
    tried.push(`go install: ${(error as Error).message}`);
    return undefined;
  } finally {
    building.end();
    progress.end();
  }
}

/** Go says nothing while it compiles: how long it has taken shows that it is not stuck. */
function showBuilding(name: ToolName, { buildTakes }: ToolSpec, progress: Progress) {
  const startedAtMs = Date.now();
  let last = '';
  const show = (): void => {
    const seconds = Math.round((Date.now() - startedAtMs) / 1000);
    progress.line(`${name}: building for ${seconds} s, of ${buildTakes}${last === '' ? '' : ` (${last})`}`);
  };
  const timer = setInterval(show, 1_000);
  return {
    said: (line: string): void => {
      last = line;
      show();
    },
    end: (): void => clearInterval(timer),
  };
}
