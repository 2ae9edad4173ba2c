// The public API for programs. Workflows import `planning-engine/workflow` instead.
export { createGate, type GateLibrary, type GateTarget } from './gate';
export { createGateActivities, gatePlugin, type OpenGateActivities } from './plugin';
export { gateDataConverter } from './open-data-converter';
export { loadSettings, type LoadedSettings } from './config/loaders/settings';
export { DeploymentClient, type DeploymentClientOptions } from './deployments/client/deployment-client';
export { FailureType, GateError, type Fault } from './failures';
export type { ServiceOptions } from './services';
export type { AuditRecord } from './audit/audit-record';
export type { Decision, DecisionOutcome } from './decisions/decision';
export type { DeploymentSpec, StageSpec } from './deployments/deployment-spec';
export type { DeploymentStatus, Explanation, OperatorReply } from './deployments/deployment-state';
export type { Fact, FactProvider, FactTarget, Observation } from './facts/fact';
export type { RegisteredProvider } from './facts/registry';
export type { Snapshot } from './facts/snapshot';
