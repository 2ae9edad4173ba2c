import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { TestFramework } from '../../src/contracts/test-framework';

/** Jest's functions, as the contracts take them. */
export const jestFramework = { describe, it, beforeAll, beforeEach, afterAll, expect } as unknown as TestFramework;
