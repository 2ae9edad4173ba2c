export { askWorkers } from './ask-workers';
export { deliverAlerts } from './deliver-alerts';
export { deployment } from './deployment';
export { ruleExecution } from './rule-execution';
export { sweep } from './sweep';
