export { askWorkers } from './ask-workers';
export { deployment } from './deployment';
export { sweep } from './sweep';
