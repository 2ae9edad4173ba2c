#!/usr/bin/env node
// The rooms of src/, their levels, and which of their modules are pure (docs/architecture.md): the one list behind the rules of
// .dependency-cruiser.js. `npm run rooms` prints every room with its level, the rooms that it uses, and the circles.
// A room may use rooms of a lower level, never of its own or a higher one.

/**
 * @typedef {object} Room
 * @property {number} level it may use rooms of a lower level only
 * @property {string} holds what is in it, for the table that the script prints
 * @property {boolean} [pure] its modules at the top are pure
 * @property {readonly string[]} [pureFolders] subfolders whose modules are pure too, at any depth
 */

/** @type {Readonly<Record<string, Room>>} */
const ROOMS = {
  kernel: { level: 0, pure: true, holds: 'what everything may use' },
  proto: { level: 1, holds: 'messages and services, generated from proto/' },
  'platform/aws': { level: 2, holds: 'how AWS is reached' },
  'platform/threads': { level: 1, holds: 'worker threads' },
  'platform/http': {
    level: 1,
    holds: 'HTTP to sources, receivers and servers of others, with proxies and certificates',
  },
  'platform/timers': { level: 1, holds: 'timers and signals that fire' },
  'platform/observability': { level: 1, holds: 'logs, and text for people' },
  'platform/documents': { level: 1, pure: true, holds: 'checked JSON, YAML and PKL' },
  'platform/files': { level: 2, holds: 'secrets, user folders, files written whole' },
  'platform/temporal': {
    level: 2,
    pure: true,
    pureFolders: ['payloads'],
    holds: 'encryption of payloads, messages that cannot be read, builds of workers',
  },
  'platform/sources': { level: 3, holds: 'JSON and Prometheus queries of sources, with their credentials' },
  settings: { level: 3, holds: 'settings and how they load' },
  'platform/database': { level: 3, holds: 'PostgreSQL, embedded or not' },
  'platform/tools': { level: 3, holds: 'opa, the Temporal CLI' },
  'platform/objects': { level: 4, pure: true, holds: 'objects in a folder or in S3' },
  rego: {
    level: 4,
    pure: true,
    pureFolders: ['analysis', 'builtins', 'bundle', 'declarations', 'plan', 'values'],
    holds: 'Rego policies',
  },
  releases: { level: 5, pure: true, pureFolders: ['config'], holds: 'policy bundle and config as one' },
  audit: { level: 5, pure: true, holds: 'records of what was decided' },
  'gate/actions': { level: 6, pure: true, holds: 'what an allowed stage starts' },
  'gate/facts': { level: 6, pure: true, holds: 'facts and their snapshot' },
  alerts: { level: 6, pure: true, holds: 'messages to operators' },
  api: { level: 6, holds: 'HTTP surfaces' },
  rules: {
    level: 6,
    pure: true,
    pureFolders: [
      'composition',
      'conditions',
      'diff',
      'document',
      'evaluation',
      'execution',
      'graph',
      'lint',
      'matching',
      'schedules',
      'testing',
    ],
    holds: 'conditions and actions as documents, for any domain',
  },
  plans: {
    level: 6,
    pure: true,
    pureFolders: ['execution', 'graph', 'kinds', 'resolver', 'selectors', 'serving', 'versions'],
    holds: "PlanSpec's goals and plans: kinds, resolving, graphs, what is served and executed",
  },
  'gate/decisions': { level: 7, pure: true, holds: 'one decision' },
  'gate/masking': { level: 7, pure: true, holds: 'what records hide' },
  shards: {
    level: 7,
    pure: true,
    pureFolders: [
      'actions',
      'balance',
      'decisions',
      'evaluation',
      'functions',
      'model',
      'moves',
      'placement',
      'simulate',
      'state',
    ],
    holds: 'rules for shards: types, placement, moves',
  },
  images: {
    level: 7,
    pure: true,
    pureFolders: ['conditions', 'decision', 'policies', 'progress', 'schedules', 'signatures'],
    holds: 'container images: policies, decisions, registries',
  },
  'gate/deployments': { level: 8, pure: true, holds: 'a deployment and its state' },
  gate: { level: 8, holds: 'services of the gate' },
  replay: { level: 8, pure: true, holds: 'past decisions put to a candidate' },
  'api/rules': { level: 9, holds: 'rule policies over gRPC and HTTP' },
  'api/plans': { level: 9, holds: "PlanSpec's objects over HTTP" },
  activities: { level: 9, holds: 'one factory a domain' },
  workflows: { level: 10, holds: 'one file a workflow' },
  'built-workflows.ts': { level: 4, holds: 'the workflows as a worker loads them' },
  'worker.ts': { level: 10, holds: 'the worker' },
  'plugin.ts': { level: 10, holds: 'the gate in a Temporal worker of your own' },
  clients: { level: 11, holds: 'what talks to running workflows' },
  contracts: { level: 11, holds: 'what parts of a program of your own keep to, as tests' },
  dev: { level: 11, holds: 'dev server, stand-ins, demos' },
  'server.ts': { level: 12, holds: 'the server of rule policies' },
  cli: { level: 13, holds: 'commands' },
  'index.ts': { level: 13, holds: 'the public API' },
};

const escape = (name) => name.replace(/[.]/g, '\\$&');

/** Matches the files of one room: of `gate`, not those of `gate/facts`, which is a room of its own. */
function filesOf(name) {
  if (name.endsWith('.ts')) return `^src/${escape(name)}$`;
  const inner = Object.keys(ROOMS)
    .filter((other) => other.startsWith(`${name}/`))
    .map((other) => `${other.slice(name.length + 1)}/`);
  return `^src/${name}/${inner.length === 0 ? '' : `(?!${inner.join('|')})`}`;
}

/** Matches every pure module. */
const PURE = Object.entries(ROOMS)
  .filter(([, room]) => room.pure)
  .flatMap(([name, { pureFolders = [] }]) => [
    `^src/${name}/[^/]+$`,
    ...pureFolders.map((folder) => `^src/${name}/${folder}/`),
  ])
  .join('|');

/** The room that a file is in; undefined for one that is in none. */
function roomOf(file) {
  return Object.keys(ROOMS).find((name) => new RegExp(filesOf(name)).test(file));
}

module.exports = { ROOMS, PURE, filesOf, roomOf };

/** The rooms that each room uses, from the imports that dependency-cruiser finds in src/. */
async function usesOfRooms() {
  const { cruise } = await import('dependency-cruiser');
  const { options } = require('../.dependency-cruiser.js');
  const extractTSConfig = (await import('dependency-cruiser/config-utl/extract-ts-config')).default;
  const { output } = await cruise(['src'], options, undefined, { tsConfig: extractTSConfig('tsconfig.json') });
  const uses = new Map(Object.keys(ROOMS).map((name) => [name, new Set()]));
  const homeless = [];
  for (const { source, dependencies } of output.modules) {
    if (!source.startsWith('src/')) continue;
    const from = roomOf(source);
    if (from === undefined) homeless.push(source);
    for (const { resolved } of dependencies) {
      const to = roomOf(resolved);
      if (from !== undefined && to !== undefined && from !== to) uses.get(from).add(to);
    }
  }
  return { uses, homeless };
}

/** Rooms that reach each other, each circle once and in the order of the list. */
function circlesOf(uses) {
  const reached = (start) => {
    const seen = new Set();
    const visit = (name) => [...uses.get(name)].forEach((next) => !seen.has(next) && seen.add(next) && visit(next));
    visit(start);
    return seen;
  };
  const reach = new Map([...uses.keys()].map((name) => [name, reached(name)]));
  const circles = new Map();
  for (const [name, reaches] of reach) {
    if (!reaches.has(name)) continue;
    const circle = [...uses.keys()].filter((other) => reaches.has(other) && reach.get(other).has(name));
    circles.set(circle.join(' '), circle);
  }
  return [...circles.values()];
}

async function main() {
  process.chdir(require('node:path').join(__dirname, '..'));
  const { uses, homeless } = await usesOfRooms();
  let wrong = 0;
  for (const [name, { level, holds }] of Object.entries(ROOMS)) {
    console.log(`${String(level).padStart(2)}  ${name.padEnd(24)}${holds}`);
    const used = [...uses.get(name)].sort((a, b) => ROOMS[a].level - ROOMS[b].level || a.localeCompare(b));
    const shown = used.map((other) => (ROOMS[other].level < level ? other : `${other} (NOT BELOW)`));
    wrong += used.filter((other) => ROOMS[other].level >= level).length;
    if (used.length > 0) console.log(`    uses ${shown.join(', ')}`);
  }
  const circles = circlesOf(uses);
  for (const circle of circles) console.log(`circle: ${circle.join(', ')}`);
  for (const file of homeless) console.log(`in no room: ${file}`);
  const levels = new Set(Object.values(ROOMS).map(({ level }) => level)).size;
  console.log(
    `${uses.size} rooms, ${levels} levels, ${circles.length} circles, ${wrong} wrong arrows, ${homeless.length} files in no room`,
  );
  process.exitCode = circles.length + wrong + homeless.length > 0 ? 1 : 0;
}

if (require.main === module) void main();
