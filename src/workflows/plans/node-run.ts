import type { DeploymentSpec, StageSpec } from '../../gate/deployments/deployment-spec';
import type { GateState } from '../../gate/deployments/deployment-state';
import type { JsonObject, JsonValue } from '../../kernel/json';
import type { ExecutionRef, RunNode } from '../../plans/execution/plan-run';
import type { NodePhase } from '../../plans/kinds/phases';
import type { Branches } from '../gate/branches';
import type { NoteRest } from '../parts/rest';
import type { Nudges } from './nudges';

/** How a node ended. */
export interface NodeEnd {
  phase: Extract<NodePhase, 'Succeeded' | 'Failed' | 'Skipped' | 'Cancelled'>;
  /** why, where it did not succeed */
  message?: string;
  /** what later nodes and people may read of it */
  outputs?: JsonObject;
  /** of its gate, where it has one and did not pass */
  state?: GateState;
  /** the decision under which it acted */
  decisionId?: string;
}

/**
 * One attempt at one node. A kind of node is a function of it. It is run in a scope of its own, which is cancelled when the
 * execution is stopped or the node's time is over; a task is told of a stop by its gate, which takes back what is under way.
 */
export interface NodeRun {
  node: RunNode;
  /** as the gate knows it: attributes and action */
  stage: StageSpec;
  /** of the stage in the deployment, from 0 */
  place: number;
  spec: DeploymentSpec;
  execution: ExecutionRef;
  /** from 1 */
  attempt: number;
  /** told when something happened in the store that a node may wait for */
  nudges: Nudges;
  /** where its gate is opened, if it has one */
  branches: Branches;
  /** what `keep` was last given before the run continued as new; a node that began in this run has none */
  kept?: JsonValue;
  /** remembers something small for the run that continues this one */
  keep(state: JsonValue): void;
  /** shows that the node waits for somebody, or goes on again */
  tell(phase: 'Blocked' | 'Running', message?: string): void;
  /** to be told of each longer wait (`rest` does): an execution continues as new only while every node that is open rests */
  rests: NoteRest;
}

/** @throws the cancellation of its scope */
export type RunNodeOfKind = (run: NodeRun) => Promise<NodeEnd>;
