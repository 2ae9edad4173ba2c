// The arrows that may be drawn between the parts of src/ (docs/architecture.md). `npm run import-graph` checks them, and
// test/import-graph.test.ts proves that a wrong one is caught. Arrows point inward: command line and worker -> activities
// and adapters -> pure modules.

/** One folder a feature: pure modules at its top, what talks to the outside in a subfolder named for its role. */
const FEATURES =
  'gate/(?:facts|decisions|deployments|actions|masking)|rego|releases|audit|alerts|replay|platform/objects';

/** What a pure module may use of Node: no clock, file, socket, process or thread. Hashing given bytes is pure. */
const PURE_BUILTINS = '^(node:)?(assert|buffer|crypto|path|querystring|string_decoder|url|util|zlib)(/|$)';

/** Temporal's bundler lets workflow code use only these. */
const WORKFLOW_BUILTINS = '^(node:)?(assert|url|util)(/|$)';

/** What neither a workflow nor anything that it imports may use. */
const IO_BUILTINS =
  '^(node:)?(child_process|cluster|crypto|dgram|dns|fs|http|http2|https|net|os|process|readline|stream|timers|tls|worker_threads)(/|$)';

/** Subfolders that are pure all the same, bytes and values in and out: a family a file, an archive format. */
const PURE_SUBFOLDERS = '^src/(rego/(builtins|values|analysis|bundle)|releases/config)/';

/** What puts a port together with one of its adapters, as the settings say. */
const OPENERS = '^src/.+/open-[^/]+\\.ts$';

/** Packages that open files, sockets or processes. */
const OUTSIDE_PACKAGES =
  'node_modules/(pg|@electric-sql/pglite|fastify|pino|@aws-sdk/client-\\w+|@temporalio/(worker|client|activity))/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one file, or lack a third. Types may refer to each other.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'workflows-are-deterministic',
      comment:
        'A workflow is replayed: whatever it reaches must give the same answer then. Types of anything are fine.',
      severity: 'error',
      from: { path: '^src/workflows/' },
      to: {
        path: `^src/(${FEATURES})/[^/]+/|^src/(cli|api|clients|dev|activities)/|^src/platform/(database|observability|tools|threads|aws)/`,
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'workflows-reach-no-node',
      comment: "Of Node's modules only assert, url and util: Temporal's bundler refuses the others.",
      severity: 'error',
      from: { path: '^src/workflows/' },
      to: { dependencyTypes: ['core'], pathNot: WORKFLOW_BUILTINS },
    },
    {
      name: 'workflows-reach-no-io',
      comment: 'Nor through another module.',
      severity: 'error',
      from: { path: '^src/workflows/' },
      to: { reachable: true, path: IO_BUILTINS },
    },
    {
      name: 'pure-modules-use-no-node-io',
      comment: 'The top level of a feature takes the time, the random value and the bytes as arguments.',
      severity: 'error',
      from: { path: `^src/(${FEATURES})/[^/]+$` },
      to: { dependencyTypes: ['core'], pathNot: PURE_BUILTINS },
    },
    {
      name: 'pure-modules-use-no-outside-package',
      severity: 'error',
      from: { path: `^src/(${FEATURES})/[^/]+$`, pathNot: OPENERS },
      to: { path: OUTSIDE_PACKAGES, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'pure-modules-know-no-adapter',
      comment: 'A port is at the top, its adapters below: the arrow points from the adapter to the port.',
      severity: 'error',
      from: { path: `^src/(${FEATURES})/[^/]+$`, pathNot: [OPENERS, '^src/audit/audit-log\\.ts$'] },
      to: { path: `^src/(${FEATURES})/[^/]+/`, pathNot: PURE_SUBFOLDERS, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'features-keep-their-outside-to-themselves',
      comment:
        "rego/ is a library of several rooms, and a release's configuration is pure: both may be used by others. " +
        "One exception: a deployment's file is checked with the actions that it names.",
      severity: 'error',
      from: { path: `^src/(${FEATURES})/`, pathNot: '^src/gate/deployments/files/load-deployment\\.ts$' },
      to: {
        path: `^src/(${FEATURES})/[^/]+/`,
        pathNot: '^src/($1|rego|releases/config)/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'nothing-imports-the-entry-points',
      comment: 'The worker and the command line put things together; nothing is put together from them.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(cli/|worker\\.ts$|index\\.ts$)' },
      to: { path: '^src/(cli/|worker\\.ts$)' },
    },
    {
      name: 'everything-resolves',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    combinedDependencies: true,
    // Packages may be linked from elsewhere: their name inside node_modules is what the rules speak of.
    preserveSymlinks: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['require', 'node', 'default', 'types'] },
  },
};
