import { describe } from '@jest/globals';
import { describeObjectStore } from '../platform/objects/object-store.contract';
import { MemoryObjects } from './memory-objects';

describe('objects in memory', () => {
  describeObjectStore(async () => new MemoryObjects());
});
