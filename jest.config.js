const swc = [
  '<rootDir>/test/support/counting/jest-transform.cjs',
  {
    // Helpers from a package: written into each file they would count as lines that no test covers.
    jsc: { target: 'es2022', parser: { syntax: 'typescript' }, externalHelpers: true },
    module: { type: 'commonjs' },
    sourceMaps: true,
  },
];

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/src', '<rootDir>/test', '<rootDir>/examples'].filter((dir) =>
    require('node:fs').existsSync(dir.replace('<rootDir>', __dirname)),
  ),
  testMatch: ['**/*.test.ts'],
  transform: {
    // PGlite loads Node's modules with `import()`, which jest's sandbox lacks: there it becomes `require`.
    'pglite[^/]*/dist/.+\\.c?js$': swc,
    '^.+\\.[tj]s$': swc,
  },
  // All but the first are of ES modules alone, and loaded by `import()` too.
  transformIgnorePatterns: [
    '/node_modules/(?!@electric-sql/pglite|@marcbachmann/cel-js|age-encryption/|@noble/|@scure/base)',
  ],
  collectCoverageFrom: [
    'src/**/*.ts',
    '!src/**/*.d.ts',
    // Run as processes or threads of their own, where jest cannot count; test/e2e, test/platform/tools, test/rego and test/replay run them.
    '!src/cli/main.ts',
    '!src/dev/demo.ts',
    '!src/dev/demo-releases.ts',
    '!src/dev/story.ts',
    '!src/platform/tools/main.ts',
    '!src/**/thread-entry.ts',
    '!src/**/thread-side.ts',
    // Made from proto/ by the build.
    '!src/proto/**',
  ],
  // Dynamic imports carry an extension, as Node wants it; here they name the TypeScript source.
  moduleNameMapper: {
    // As `src` imports it: what worker, plugin and fleet load is made once for all suites.
    '^\\.{1,2}/built-workflows$': '<rootDir>/test/support/kept-workflows.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  testSequencer: '<rootDir>/test/support/long-suites-first.cjs',
  // Suites that run workflows wait for timers more than they compute: two cores carry four of them.
  maxWorkers: 4,
  // What suites leave stays in their worker, as Temporal's runtime keeps hold of it; to start a program from a process of
  // gigabytes takes longer than most tests do.
  workerIdleMemoryLimit: '1GB',
  // Ends what hangs, and nothing else: no test may depend on how fast the machine is, or what else it does meanwhile.
  testTimeout: 600_000,
};
