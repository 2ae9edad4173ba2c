import { compare, type ComparedSide } from '../../gate/compare';
import type { JsonObject } from '../../kernel/json';
import { decisionTime } from './evaluate-dry';
import type { CommandIo } from '../io';
import { openLoadedSettings } from '../open-settings';
import type { CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { casesDocument, casesLines, diffDocument, diffLines } from './diff-text';

export interface DiffOptions extends CommonOptions {
  configA?: string;
  configB?: string;
  cases?: number;
  seed: number;
  at?: string;
}

/** Prints what differs. @returns whether anything does */
export async function diffReleases(
  io: CommandIo,
  whereA: string,
  whereB: string,
  options: DiffOptions,
): Promise<boolean> {
  const atMs = decisionTime(options.at);
  const { cases: count, seed } = options;
  const { a, b, differs, diff, cases } = await compare({
    settings: await openLoadedSettings(io, options.settings),
    a: { where: whereA, config: options.configA },
    b: { where: whereB, config: options.configB },
    ...(count === undefined ? {} : { cases: { count, seed, atMs } }),
    env: io.env,
    cwd: io.cwd,
  });
  if (options.output === 'json') {
    const casesPart = cases && { cases: casesDocument(cases, atMs) };
    printJson(io, { a: describe(a), b: describe(b), differs, ...diffDocument(diff), ...casesPart });
  } else {
    printLines(io, [
      ...diffLines(diff, a.ref.policySha !== b.ref.policySha),
      ...(cases ? casesLines(cases, atMs) : []),
    ]);
  }
  return differs;
}

function describe({ where, version, ref }: ComparedSide): JsonObject {
  return { release: where, ...(version && { version }), policy_sha: ref.policySha, config_rev: ref.configRev };
}
