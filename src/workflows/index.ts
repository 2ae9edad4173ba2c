export { deployment } from './deployment';
