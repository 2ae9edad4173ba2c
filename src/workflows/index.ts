export { askWorkers } from './ask-workers';
export { deliverAlerts } from './deliver-alerts';
export { deployment } from './deployment';
export { sweep } from './sweep';
