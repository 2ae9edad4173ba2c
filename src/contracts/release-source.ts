import { sha256 } from '../kernel/digest';
import { writeArchive } from '../rego/bundle/archive/write-archive';
import type { NamedRelease, ReleaseSource } from '../releases/sources/release-source';
import { rejection, type TestFramework } from './test-framework';

/** A release to be published: what the source must give back, byte for byte. */
export interface ReleaseToPublish {
  version: string;
  /** a policy bundle */
  policy: Uint8Array;
  /** release configuration in JSON */
  config: Uint8Array;
  /** SHA-256 in hex of both, as a manifest holds them */
  policySHA256: string;
  configSHA256: string;
}

/** A source under test, and how what it reads comes to be there. */
export interface SourceUnderTest {
  source: ReleaseSource;
  /** makes this the release that is named, with its digests */
  publish(release: ReleaseToPublish): Promise<void>;
  /** makes what names the release something that names none */
  spoil(): Promise<void>;
  /** takes away what names the release: there is none from here on */
  withdraw(): Promise<void>;
  /** puts the place out of reach, or within reach again; absent where a place is always within reach, as a folder is */
  reach?(isWithin: boolean): Promise<void>;
  close(): Promise<void>;
}

/** What every source of releases keeps to. */
export function describeReleaseSource(
  { describe, it, expect }: TestFramework,
  name: string,
  open: () => Promise<SourceUnderTest>,
): void {
  describe(`release source contract on ${name}`, () => {
    const using = async (work: (opened: SourceUnderTest) => Promise<void>): Promise<void> => {
      const opened = await open();
      try {
        await work(opened);
      } finally {
        await opened.close();
      }
    };
    const load = async (named: NamedRelease) => {
      const [policy, config] = await Promise.all([named.loadPolicy(), named.loadConfig()]);
      return {
        version: named.manifest.version,
        policySHA256: policy.sha,
        configSHA256: config.configRev,
        limits: config.configDocument.limits,
      };
    };
    const digestsOf = ({ version, policySHA256, configSHA256 }: ReleaseToPublish) => ({
      version,
      policySHA256,
      configSHA256,
    });

    it('a source gives the release that was published, with the digests of its bytes', () =>
      using(async ({ source, publish }) => {
        const release = await aRelease('v1', 'one', 7);
        await publish(release);
        expect(await load(await source.read())).toMatchObject({ ...digestsOf(release), limits: { maxDelta: 7 } });
        expect(typeof source.where).toBe('string');
      }));

    it('a fingerprint stays while nothing changes, and changes with the version, the policy and the configuration', () =>
      using(async ({ source, publish }) => {
        const fingerprints: string[] = [];
        const releases = [
          await aRelease('v1', 'one', 7),
          await aRelease('v2', 'one', 7),
          await aRelease('v2', 'two', 7),
          await aRelease('v2', 'two', 8),
        ];
        for (const release of releases) {
          await publish(release);
          const named = await source.read();
          expect((await source.read()).fingerprint).toBe(named.fingerprint);
          expect(await load(named)).toMatchObject(digestsOf(release));
          fingerprints.push(named.fingerprint);
        }
        expect(new Set(fingerprints).size).toBe(releases.length);
      }));

    it('a release that was read before another one was published is loaded as it was, or refused: never mixed', () =>
      using(async ({ source, publish }) => {
        const [before, after] = [await aRelease('v1', 'one', 7), await aRelease('v2', 'two', 8)];
        await publish(before);
        const named = await source.read();
        await publish(after);
        const isOwn = async (loading: Promise<string>, own: string): Promise<boolean> =>
          loading.then(
            (digest) => digest === own,
            (error: unknown) =>
              /^(PolicyInvalid|ConfigInvalid|PolicyUnavailable)$/.test((error as { type: string }).type),
          );
        expect([
          await isOwn(
            named.loadPolicy().then(({ sha }) => sha),
            before.policySHA256,
          ),
          await isOwn(
            named.loadConfig().then(({ configRev }) => configRev),
            before.configSHA256,
          ),
        ]).toEqual([true, true]);
        expect(await load(await source.read())).toMatchObject(digestsOf(after));
      }));

    it('bytes that are not those of the digest are refused', () =>
      using(async ({ source, publish }) => {
        const release = await aRelease('v1', 'one', 7);
        await publish({ ...release, policySHA256: 'f'.repeat(64) });
        const named = await source.read();
        expect(await rejection(named.loadPolicy())).toMatchObject({ type: 'PolicyInvalid' });
      }));

    it('a place that names no release is refused, and one without anything is unavailable; the next release is taken', () =>
      using(async ({ source, publish, spoil, withdraw }) => {
        expect(await rejection(source.read())).toMatchObject({ type: 'PolicyUnavailable' });
        const release = await aRelease('v1', 'one', 7);
        await publish(release);
        await source.read();
        await spoil();
        expect(await rejection(source.read())).toMatchObject({ type: 'ManifestInvalid' });
        await withdraw();
        expect(await rejection(source.read())).toMatchObject({ type: 'PolicyUnavailable' });
        await publish(release);
        expect(await load(await source.read())).toMatchObject(digestsOf(release));
      }));

    it('a place out of reach is unavailable, never empty; what was kept is given meanwhile, and not once it is withdrawn', () =>
      using(async ({ source, publish, withdraw, reach }) => {
        if (reach === undefined) return;
        const release = await aRelease('v1', 'one', 7);
        await publish(release);
        const named = await source.read();
        await load(named);
        await named.keep?.();
        await reach(false);
        expect(await rejection(source.read())).toMatchObject({ type: 'PolicyUnavailable' });
        const kept = await source.readKept?.();
        if (named.keep !== undefined) expect(kept && (await load(kept))).toMatchObject(digestsOf(release));
        await reach(true);
        expect(await load(await source.read())).toMatchObject(digestsOf(release));
        await withdraw();
        expect(await rejection(source.read())).toMatchObject({ type: 'PolicyUnavailable' });
        expect(await source.readKept?.()).toBeUndefined();
      }));

    it('a source that watches tells of the next release, and tells nothing once it is stopped', () =>
      using(async ({ source, publish }) => {
        await publish(await aRelease('v1', 'one', 7));
        await source.read();
        let stop: (() => void) | undefined;
        const told = new Promise<void>((resolve) => (stop = source.watch?.(() => resolve())));
        if (stop === undefined) return;
        await publish(await aRelease('v2', 'two', 8));
        await told;
        stop();
      }));
  });
}

/** A release of the right form; its wasm is a text, which a source does not run. */
async function aRelease(version: string, policy: string, maxDelta: number): Promise<ReleaseToPublish> {
  const files = {
    'policy.wasm': policy,
    'data.json': '{}',
    '.manifest': JSON.stringify({ wasm: [{ entrypoint: 'gate/response', module: '/policy.wasm' }] }),
    'input.json': JSON.stringify({ type: 'object', properties: {}, additionalProperties: false }),
  };
  const bundle = await writeArchive(
    new Map(Object.entries(files).map(([name, content]) => [name, Buffer.from(content)])),
  );
  const config = Buffer.from(JSON.stringify({ limits: { maxDelta } }));
  return { version, policy: bundle, config, policySHA256: sha256(bundle), configSHA256: sha256(config) };
}

/**
 * The objects of a release under the names that a manifest gives them, for places that hold objects: the manifest is
 * `latest.json`, and what it names lies beside it under its digest.
 */
export function objectsOf(release: ReleaseToPublish): Record<string, Uint8Array> {
  const { version, policySHA256, configSHA256 } = release;
  const [policy, config] = [`${sha256(release.policy)}.tar.gz`, `${sha256(release.config)}.json`];
  return {
    [policy]: release.policy,
    [config]: release.config,
    'latest.json': Buffer.from(JSON.stringify({ policy, config, version, policySHA256, configSHA256 })),
  };
}
