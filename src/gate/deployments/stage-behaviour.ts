import { parseDuration } from '../../kernel/duration';
import type { StageBehaviour } from '../../releases/config/release-config';
import type { StageSpec } from './deployment-spec';

type Newer = 'recheckAtMost' | 'resolveAfter';
type KnownBehaviour = Omit<StageBehaviour, Newer> & Partial<Pick<StageBehaviour, Newer>>;

/** How a stage behaves, with durations in milliseconds. */
export interface CompiledBehaviour {
  onDeny: 'fail' | 'wait';
  mode: 'enforce' | 'observe';
  autoResume: boolean;
  recheckEveryMs: number;
  recheckAtMostMs: number;
  /** absent waits for ever */
  giveUpAfterMs?: number;
  /** how long a pause on an error may last, and how the deployment ends then; absent pauses for ever */
  pauseTimeout?: { afterMs: number; end: 'abort' | 'fail' };
  overrideValidForMs: number;
  remindAfterMs: number;
  remindAtMostMs: number;
  /** at least `recheckEveryMs`: one look that finds nothing wrong is not enough */
  resolveAfterMs: number;
}

const RECHECK_AT_MOST = '5m';
const RESOLVE_AFTER = '2m';

/** The release's defaults, overridden by what the deployment's own file says of the stage. */
export function compileBehaviour(defaults: KnownBehaviour, stage: Partial<StageSpec>): CompiledBehaviour {
  const giveUpAfter = stage.giveUpAfter ?? defaults.giveUpAfter;
  const pauseTimeout = stage.pauseTimeout ?? defaults.pauseTimeout;
  const end = stage.onPauseTimeout ?? defaults.onPauseTimeout ?? 'fail';
  const recheckEveryMs = parseDuration(stage.recheckEvery ?? defaults.recheckEvery);
  return {
    onDeny: stage.onDeny ?? defaults.onDeny,
    mode: stage.mode ?? defaults.mode,
    autoResume: stage.autoResume ?? defaults.autoResume,
    recheckEveryMs,
    // Defaults that a worker of the release before gave do not name it, nor how long an incident must be healthy.
    recheckAtMostMs: parseDuration(stage.recheckAtMost ?? defaults.recheckAtMost ?? RECHECK_AT_MOST),
    ...(giveUpAfter === undefined ? {} : { giveUpAfterMs: parseDuration(giveUpAfter) }),
    ...(pauseTimeout === undefined ? {} : { pauseTimeout: { afterMs: parseDuration(pauseTimeout), end } }),
    overrideValidForMs: parseDuration(stage.overrideValidFor ?? defaults.overrideValidFor),
    remindAfterMs: parseDuration(defaults.remindAfter),
    remindAtMostMs: parseDuration(defaults.remindAtMost),
    resolveAfterMs: Math.max(recheckEveryMs, parseDuration(defaults.resolveAfter ?? RESOLVE_AFTER)),
  };
}
