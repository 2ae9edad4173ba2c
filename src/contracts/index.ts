// What parts of a program's own keep to, as tests of its own: `planning-engine/contracts`. No test framework is bound; each
// suite takes the functions of yours.
export { describeAction, type ActionUnderTest } from './action';
export { describeAlertReceiver, type ReceiverUnderTest } from './alert-receiver';
export { describeAuditStore, type StoreUnderTest } from './audit-store';
export { describeConditionType, type ConditionTypeUnderTest } from './condition-type';
export { describeFactProvider, type ProviderUnderTest } from './fact-provider';
export { describeObjectReader, type ReaderUnderTest } from './object-reader';
export { describePolicyEvaluator, type EvaluatorUnderTest } from './policy-evaluator';
export { describeReleaseSource, type ReleaseToPublish, type SourceUnderTest } from './release-source';
export { sourceOfObjects, type PlaceOfObjects } from './source-of-objects';
export type { Matchers, TestFramework } from './test-framework';
