export { askWorkers } from './ask-workers';
export { deployment } from './deployment';
