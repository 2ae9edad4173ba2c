import type { DomainState, DomainStep } from '../../rules/domain';
import { Arrangement } from '../model/arrangement';
import { ofDomainStep } from '../model/domain-step';
import type { ShardStep } from '../model/step';
import type { ClusterState } from '../state/cluster-state';

/** What the shard domain keeps of a state for its decisions. */
export interface OwnState {
  state: ClusterState;
  /** as the state has it; steps are tried on it in a `trial` alone */
  arrangement: Arrangement;
  /** after the steps that were decided last */
  stepped?: SteppedArrangement;
  /** of the one shard that was asked about */
  shard?: string;
}

/** A state as steps leave it, with these steps. */
interface SteppedArrangement {
  arrangement: Arrangement;
  steps: DomainStep[];
  /** the same steps as the decisions have them */
  moves: ShardStep[];
}

/** The domain's own part of a state that it read itself. */
export function ownState(state: DomainState): OwnState {
  return state.own as OwnState;
}

/**
 * The arrangement of a state after earlier steps. It is shared by all questions about the state, so a decision tries its own
 * steps in a `trial`. While each question names the steps of the one before it and more, only those are applied.
 */
export function arrangementAfter(earlier: readonly DomainStep[], own: OwnState): Omit<SteppedArrangement, 'steps'> {
  if (earlier.length === 0) return { arrangement: own.arrangement, moves: [] };
  const known = own.stepped;
  const isLonger = known !== undefined && known.steps.every((step, at) => step === earlier[at]);
  const stepped = isLonger ? known : { arrangement: new Arrangement(own.state), steps: [], moves: [] };
  own.stepped = stepped;
  for (const step of earlier.slice(stepped.steps.length)) {
    const move = ofDomainStep(step);
    stepped.arrangement.apply(move);
    stepped.steps.push(step);
    stepped.moves.push(move);
  }
  return stepped;
}
