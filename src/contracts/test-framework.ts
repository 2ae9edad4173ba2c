/** What follows from a value in a test; Jest's and Vitest's `expect` give it. */
export interface Matchers {
  toBe(expected: unknown): unknown;
  toBeDefined(): unknown;
  toBeGreaterThan(least: number): unknown;
  toBeGreaterThanOrEqual(least: number): unknown;
  toBeUndefined(): unknown;
  toEqual(expected: unknown): unknown;
  toHaveLength(length: number): unknown;
  toMatchObject(expected: object): unknown;
  toStrictEqual(expected: unknown): unknown;
}

/** The functions of a test framework that the contracts are written in: those of Jest, of Vitest, or any alike. */
export interface TestFramework {
  describe(name: string, body: () => void): unknown;
  it(name: string, body: () => Promise<void>): unknown;
  beforeAll(body: () => Promise<void>): unknown;
  beforeEach(body: () => Promise<void>): unknown;
  afterAll(body: () => Promise<void>): unknown;
  expect: ((value: unknown) => Matchers) & { stringMatching(pattern: RegExp): unknown };
}

/** What a promise was rejected with. @throws Error when it was not rejected */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('Expected a rejection, but the promise was fulfilled');
}
