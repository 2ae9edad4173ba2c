// The public API for programs. Workflows import `planning-engine/workflow` instead.
export { createGate, type GateLibrary, type GateTarget } from './gate/create-gate';
export { dryRun, type DryRun, type DryRunRequest, type GivenFacts } from './gate/dry-run';
export {
  compare,
  type CaseOptions,
  type ComparedSide,
  type Comparison,
  type CompareRequest,
  type ReleaseName,
} from './gate/compare';
export {
  publish,
  rollBack,
  type ManifestRequest,
  type NewRelease,
  type PublishRequest,
  type ComparedWithOpa,
  type PublishResult,
  type RollbackRequest,
} from './gate/publishing/publish-release';
export {
  replayRelease as replay,
  type ReplayCandidate,
  type ReplayExport,
  type ReplayRequest,
  type ReplayResult,
} from './replay/run/replay-release';
export {
  createGateActivities,
  gatePlugin,
  startSweep,
  type OpenGateActivities,
  type RunningSweep,
  type SweepOptions,
} from './plugin';
export { gateDataConverter } from './settings/open-data-converter';
export { reasonCodesOf } from './kernel/reason-code';
export { loadSettings, type LoadedSettings, type PlainSettings } from './settings/load-settings';
export {
  DeploymentClient,
  type CallResult,
  type DeploymentClientOptions,
  type FoundStatus,
} from './clients/deployment-client';
export type { ListedDeployment, ListFilter } from './clients/list-deployments';
export { UpdateTaken } from './clients/update-taken';
export { FailureType, GateError, type Fault } from './kernel/failures';
export type { CaseDifference, CasesResult, TriedDecision } from './releases/diff/try-cases';
export type { Manifest } from './releases/manifest';
export type { PolicyToPublish, SigningOptions } from './releases/publishing/read-release-files';
export type { JsonChange } from './kernel/json-diff';
export type { NameChanges, ReleaseDiff } from './releases/diff/compare-releases';
export type { RuleChange, RulePlace } from './releases/diff/rules';
export type { ReplayFilter } from './replay/replay';
export { ReplayClass, type BrokenLine, type KeptRows, type ReplayReport, type ReplayRow } from './replay/replay-report';
export type { Surroundings } from './releases/sources/open-named-release';
export type {
  ActionContext,
  ActionResult,
  ActionSpec,
  HttpAction,
  HttpRequestSpec,
  ModuleAction,
  NoneAction,
  NoticeSpec,
  NotifyAction,
  ReplicateImageAction,
  SecretUse,
  ShardAction,
} from './gate/actions/action';
export type { ActionModule, ModuleRequest } from './gate/actions/action-kind';
export type { ImageConditionType } from './images/conditions/condition-type';
export type { ImageMetadata } from './images/image-metadata';
export type { Alert, AlertReceiver, AlertStatus } from './alerts/alert';
export type {
  AuditCursor,
  AuditDomain,
  AuditQuery,
  AuditRecord,
  AuditStore,
  DomainRecord,
  GateRecord,
  RecordedEvaluation,
  RecordFields,
  RecordKind,
  UsedFact,
} from './audit/audit-record';
export type { Decision, DecisionEvaluation } from './gate/decisions/decision';
export type { DecisionOutcome } from './kernel/outcome';
export type { DeploymentSpec, StageSpec } from './gate/deployments/deployment-spec';
export type {
  DeploymentStatus,
  Explanation,
  GateState,
  OperatorReply,
  Pause,
  PendingLooks,
  Recheck,
  StageProgress,
} from './gate/deployments/deployment-state';
export type { Fact, FactProvider, FactTarget, Observation } from './gate/facts/fact';
export type {
  ActionRequest,
  CollectRequest,
  CompensationRequest,
  EvaluateRequest,
  GateActivities,
  GateDefaults,
  ReadLooksRequest,
  RecheckRequest,
  RecheckResult,
  SnapshotAndDecision,
} from './activities/gate-activities';
export type { JsonObject, JsonSchema, JsonValue } from './kernel/json';
export type { MaskRule } from './kernel/mask-rule';
export type { OperatorCall } from './kernel/operator-call';
export type { OperatorCallKind } from './gate/deployments/operator-call';
export type { ProgramLogger } from './platform/observability/program-logger';
export type { Finding } from './gate/deployments/finding';
export type { Look, RecordedDecision } from './gate/deployments/recorded-decision';
export type { LookDetails, LookIntervals, Looks } from './gate/deployments/looks';
export type { Looked } from './gate/deployments/looked';
export type { RegisteredProvider } from './gate/facts/registry';
export type { GatePorts } from './gate/gate-ports';
export type { PartRef, PartStore } from './audit/part-store';
export { releasesFromObjects, type ReleaseObjects } from './releases/sources/releases-from-objects';
export type { LoadedConfig, NamedRelease, ReleaseSource } from './releases/sources/release-source';
export { ObjectStoreError, type ObjectReader, type StoredObject } from './platform/objects/object-store';
export type { EvaluatorRequest, PolicyEvaluator, PolicyRequest } from './rego/evaluation/evaluate-policy';
export type { EvaluationAccount, SecondOpinionSetting } from './rego/evaluation-account';
export type { NotesOfEvaluation } from './rego/plan/absence/notebook';
export type { Declarations } from './rego/declarations/declaration';
export type { DocumentPlace } from './platform/documents/validate';
export type { PolicyReads } from './rego/analysis/policy-reads';
export type { PolicyBundle } from './rego/bundle/policy-bundle';
export type { ReleaseRef } from './releases/release-ref';
export type { ServiceOptions } from './gate/services';
export type { WedgedWorkflow } from './platform/temporal/wedged/find-wedged';
export type { Settings } from './settings/settings';
export type { Snapshot, SnapshotFailure } from './gate/facts/snapshot';
export type { TextOutput } from './audit/copies/stdout';
export type { EvaluationExplanation, ExplainedLookup, ExplainedNote } from './gate/decisions/explain-evaluation';
export type { Pause as BasicPause } from './kernel/pause';
export type { LeaseClaim } from './gate/decisions/lease';
export type { ReleaseConfig, StageBehaviour } from './releases/config/release-config';
export type { NoteKind } from './rego/plan/absence/note';
export type { Doubt, DoubtReason } from './rego/plan/doubts';
export type { Disagreement, NoVoteReason, SecondOpinion } from './rego/evaluation-account';
export type { SourceLine } from './rego/plan/plan';
