export { aDomainRecord, aRecord } from '../../src/contracts/a-record';
