import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Agent } from 'undici';
import { copyBlobs } from '../../../src/images/copying/copy-blobs';
import { replicateImage } from '../../../src/images/copying/replicate-image';
import { HttpRegistry } from '../../../src/images/registries/http-registry';
import { FIRST_BUILD_MS } from '../../support/cached-program';
import { startCraneRegistry } from '../../support/crane-registry';
import { canHaveDistribution, startDistribution } from '../../support/distribution-registry';
import { canHaveGoProgram, findGoProgram } from '../../support/go-program';
import { CONFORMANCE, runConformanceSuite, type SuiteRun } from '../../support/oci-registry/conformance-suite';
import type { RepositoryContent } from '../../support/oci-registry/content';
import { startOciRegistry, type OciRegistry } from '../../support/oci-registry/oci-registry';
import { canHaveTool } from '../../support/tool-folder';

const withSuite = canHaveGoProgram(CONFORMANCE) ? describe : describe.skip;

withSuite('the conformance suite of the OCI distribution specification', () => {
  const dispatcher = new Agent();
  const stops: (() => Promise<unknown>)[] = [];
  let folder: string;
  let source: OciRegistry;
  let complete: SuiteRun;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-conformance-'));
    source = await startOciRegistry();
    stops.push(() => source.stop());
    const program = await findGoProgram(CONFORMANCE);
    complete = await runConformanceSuite(program, source.host, folder);
    await runConformanceSuite(program, source.host, folder, { keep: true });
  }, FIRST_BUILD_MS);
  afterAll(async () => {
    for (const stop of stops) await stop();
    await dispatcher.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (host: string) =>
    new HttpRegistry({
      registry: host,
      plainHttp: true,
      dispatcher,
      findCredentials: () => Promise.resolve(undefined),
      firstBackoffMs: 1,
    });

  /** What becomes of everything that the suite pushed: `copied`, or the target's words, by tag or by kind of digest. */
  async function copyAll(host: string): Promise<Map<string, Set<string>>> {
    const [from, to] = [open(source.host), open(host)];
    const outcomes = new Map<string, Set<string>>();
    const note = async (what: string, copy: () => Promise<unknown>): Promise<void> => {
      const words = await copy().then(
        () => 'copied',
        (error: Error) => error.message.replace(host, 'the registry'),
      );
      outcomes.set(what, (outcomes.get(what) ?? new Set()).add(words));
    };
    for (const [repository, { tags, manifests, blobs }] of source.content.repositories) {
      const [here, there] = [
        { registry: from, repository },
        { registry: to, repository },
      ] as const;
      const request = { source: here, target: there, incomplete: 'copy', referrersOfUnchanged: true } as const;
      for (const [tag, digest] of tags) await note(tag, () => replicateImage({ ...request, digest, tag }));
      const tagged = new Set(tags.values());
      for (const digest of manifests.keys())
        if (!tagged.has(digest)) await note(digest.slice(0, 6), () => replicateImage({ ...request, digest }));
      for (const [digest, { length: size }] of blobs) {
        const blob = { mediaType: 'application/octet-stream', digest, size };
        const what = `${size === 0 ? 'empty' : 'blob'}-${digest.slice(0, 6)}`;
        await note(what, () => copyBlobs(here, there, [blob], { concurrency: 1 }));
      }
    }
    return outcomes;
  }

  it('has nothing to complain about in the stand-in registry', () => {
    expect(complete.counts).toMatchObject({ FAIL: 0, Error: 0, Skip: 0, Disabled: 0 });
    expect(complete.counts.Pass).toBeGreaterThan(1000);
  });

  it('what it pushes is copied from stand-in to stand-in byte for byte', async () => {
    const target = await startOciRegistry();
    stops.push(() => target.stop());
    const outcomes = await copyAll(target.host);
    expect([...outcomes].filter(([, words]) => words.size > 1 || !words.has('copied'))).toEqual([]);
    const bytesOf = ({ manifests, blobs, tags }: RepositoryContent) => ({
      manifests: [...manifests].map(([digest, { mediaType, bytes }]) => [digest, mediaType, bytes.toString()]).sort(),
      blobs: [...blobs].map(([digest, bytes]) => [digest, bytes.toString('base64')]).sort(),
      tags: [...tags].sort(),
    });
    for (const [name, content] of source.content.repositories)
      expect(bytesOf(target.content.open(name))).toEqual(bytesOf(content));
  });

  /** What `docs/images.md` says of each registry, by the names in the table's first column. */
  function documented(column: number): Map<string, string> {
    const text = readFileSync(join(__dirname, '../../../docs/images.md'), 'utf8');
    const rows = text.split('\n').filter((line) => /^\| [^|]*\(`[a-z0-9`, -]+`\) \|/.test(line));
    return new Map(
      rows.flatMap((row) => {
        const cells = row.split(/(?<!\\)\|/).map((cell) => cell.trim());
        const names = [...cells[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
        return names.map((name): [string, string] => [name, cells[1 + column]!]);
      }),
    );
  }

  const makes: [string, number, boolean, (folder: string) => Promise<{ host: string; stop(): Promise<void> }>][] = [
    ['crane registry serve', 1, canHaveTool('crane'), (at) => startCraneRegistry(join(at, 'crane.log'))],
    [
      'docker-registry 2.8',
      2,
      canHaveDistribution('docker-registry'),
      (at) => startDistribution('docker-registry', join(at, 'debian')),
    ],
    [
      'distribution 3.1',
      3,
      canHaveDistribution('distribution'),
      (at) => startDistribution('distribution', join(at, 'distribution')),
    ],
  ];
  describe.each(makes)('with %s', (_name, column, isHere, start) => {
    (isHere ? it : it.skip)(
      'what it pushes is copied, or refused in the words of the registry that docs/images.md tells',
      async () => {
        const { host, stop } = await start(folder);
        stops.push(stop);
        const outcomes = await copyAll(host);
        const told = documented(column);
        expect([...told.keys()].sort()).toEqual([...outcomes.keys()].sort());
        const wrong = [...outcomes].filter(([name, words]) => {
          const cell = told.get(name)!;
          if (cell === 'copied') return words.size > 1 || !words.has('copied');
          return [...words].some((one) => !one.includes(/`([^`]+)`/.exec(cell)?.[1] ?? '?'));
        });
        expect(wrong.map(([name, words]) => [name, [...words], told.get(name)])).toEqual([]);
      },
      FIRST_BUILD_MS,
    );
  });
});
