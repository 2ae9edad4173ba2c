// The public API for programs. Workflows import `planning-engine/workflow` instead.
export { createGate, type GateLibrary, type GateTarget } from './gate/create-gate';
export { createGateActivities, gatePlugin, type OpenGateActivities } from './plugin';
export { gateDataConverter } from './settings/open-data-converter';
export { loadSettings, type LoadedSettings } from './settings/load-settings';
export { DeploymentClient, type DeploymentClientOptions } from './clients/deployment-client';
export { FailureType, GateError, type Fault } from './kernel/failures';
export type { ServiceOptions } from './gate/services';
export type { AuditRecord, DomainRecord, GateRecord } from './audit/audit-record';
export type { Decision } from './gate/decisions/decision';
export type { DecisionOutcome } from './kernel/outcome';
export type { DeploymentSpec, StageSpec } from './gate/deployments/deployment-spec';
export type { DeploymentStatus, Explanation, OperatorReply } from './gate/deployments/deployment-state';
export type { Fact, FactProvider, FactTarget, Observation } from './gate/facts/fact';
export type { RegisteredProvider } from './gate/facts/registry';
export type { Snapshot } from './gate/facts/snapshot';
