// The arrows that may be drawn between the parts of src/ (docs/architecture.md). `npm run import-graph` checks them, and
// test/import-graph.test.ts proves that a wrong one is caught. Arrows point down, from room to room (scripts/rooms.cjs), and
// inward: command line and worker -> activities and adapters -> pure modules.

const { ROOMS, PURE, filesOf } = require('./scripts/rooms.cjs');

const rooms = Object.entries(ROOMS);
const anyOf = (names) => names.map(filesOf).join('|');

/** What a pure module may use of Node: no clock, file, socket, process or thread. Hashing given bytes is pure. */
const PURE_BUILTINS = '^(node:)?(assert|buffer|crypto|path|querystring|string_decoder|url|util|zlib)(/|$)';

/** Temporal's bundler lets workflow code use only these. */
const WORKFLOW_BUILTINS = '^(node:)?(assert|url|util)(/|$)';

/** What neither a workflow nor anything that it imports may use. */
const IO_BUILTINS =
  '^(node:)?(child_process|cluster|crypto|dgram|dns|fs|http|http2|https|net|os|process|readline|stream|timers|tls|worker_threads)(/|$)';

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
    // One rule a room, all under one name: what is on its own level or above is out of its reach, types too.
    ...rooms.map(([name, { level }]) => ({
      name: 'rooms-use-lower-levels',
      comment: `src/${name} is on level ${level}: \`npm run rooms\` shows what is below. A definition that two rooms need goes home to the lower one.`,
      severity: 'error',
      from: { path: filesOf(name) },
      to: {
        path: anyOf(rooms.filter(([, other]) => other.level >= level).map(([other]) => other)),
        pathNot: filesOf(name),
      },
    })),
    {
      name: 'every-file-has-a-room',
      comment: 'A new place is a line in scripts/rooms.cjs, with its level.',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: anyOf(rooms.map(([name]) => name)) },
    },
    {
      name: 'workflows-are-deterministic',
      comment:
        'A workflow is replayed: whatever it reaches must give the same answer then. Types of anything are fine.',
      severity: 'error',
      from: { path: '^src/workflows/' },
      to: { path: '^src/', pathNot: `^src/workflows/|${PURE}`, dependencyTypesNot: ['type-only'] },
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
      comment: "The modules at a domain's top take the time, the random value and the bytes as arguments.",
      severity: 'error',
      from: { path: PURE },
      to: { dependencyTypes: ['core'], pathNot: PURE_BUILTINS },
    },
    {
      name: 'pure-modules-use-no-outside-package',
      severity: 'error',
      from: { path: PURE },
      to: { path: OUTSIDE_PACKAGES, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'pure-modules-know-no-adapter',
      comment: 'A port is at the top, its adapters below: the arrow points from the adapter to the port.',
      severity: 'error',
      from: { path: PURE },
      to: { path: '^src/', pathNot: PURE, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'nothing-imports-the-entry-points',
      comment: 'The worker, the server and the command line put things together; nothing is put together from them.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(cli/|server\\.ts$|worker\\.ts$|index\\.ts$)' },
      to: { path: '^src/(cli/|server\\.ts$|worker\\.ts$)' },
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
