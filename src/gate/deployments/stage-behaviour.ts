import { parseDuration } from '../../kernel/duration';
import type { StageBehaviour } from '../../releases/config/release-config';
import type { StageSpec } from './deployment-spec';

/** How a stage behaves, with durations in milliseconds. */
export interface CompiledBehaviour {
  onDeny: 'fail' | 'wait';
  mode: 'enforce' | 'observe';
  autoResume: boolean;
  recheckEveryMs: number;
  /** absent waits for ever */
  giveUpAfterMs?: number;
  overrideValidForMs: number;
  remindAfterMs: number;
  remindAtMostMs: number;
}

/** The release's defaults, overridden by what the deployment's own file says of the stage. */
export function compileBehaviour(defaults: StageBehaviour, stage: Partial<StageSpec>): CompiledBehaviour {
  const giveUpAfter = stage.giveUpAfter ?? defaults.giveUpAfter;
  return {
    onDeny: stage.onDeny ?? defaults.onDeny,
    mode: stage.mode ?? defaults.mode,
    autoResume: stage.autoResume ?? defaults.autoResume,
    recheckEveryMs: parseDuration(stage.recheckEvery ?? defaults.recheckEvery),
    ...(giveUpAfter === undefined ? {} : { giveUpAfterMs: parseDuration(giveUpAfter) }),
    overrideValidForMs: parseDuration(stage.overrideValidFor ?? defaults.overrideValidFor),
    remindAfterMs: parseDuration(defaults.remindAfter),
    remindAtMostMs: parseDuration(defaults.remindAtMost),
  };
}
