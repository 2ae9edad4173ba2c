export { askWorkers } from './ask-workers';
export { deliverAlerts } from './deliver-alerts';
export { deployment } from './deployment';
export { imageSync } from './image-sync';
export { planExecutionWorkflow } from './plan-execution';
export { ruleExecution } from './rule-execution';
export { sweep } from './sweep';
