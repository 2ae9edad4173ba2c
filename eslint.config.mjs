import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import ownTexts from './scripts/own-texts.cjs';
import rooms from './scripts/rooms.cjs';

const nodeModules = [
  'fs',
  'path',
  'http',
  'https',
  'crypto',
  'child_process',
  'worker_threads',
  'os',
  'net',
  'stream',
  'timers',
];

/** Node's own forms are held weakly: their time-out is lost when the garbage collector comes first. */
const lostSignals = ['any', 'timeout'].map((property) => ({
  object: 'AbortSignal',
  property,
  message: 'It may never fire: use withSignal of platform/timers.',
}));

/** Texts that users and sources hand in go through the one parser; scripts/own-texts.cjs says who reads other texts. */
const oneParser = {
  create: (context) => ({
    "MemberExpression[object.name='JSON'][property.name='parse'], CallExpression[callee.property.name='json'][arguments.length=0], ImportDeclaration[importKind!='type'][source.value=/^(yaml|lossless-json)$/]"(
      node,
    ) {
      context.report({
        node,
        message:
          'Use parseJsonText or the loaders of platform/documents, or say in scripts/own-texts.cjs whose text it is.',
      });
    },
  }),
};

/** The modules that touch standard output or error themselves, and why; every other text goes through platform/observability/terminal. */
const WRITERS = {
  'src/platform/observability/terminal.ts': 'is the place: no text that it writes can steer a terminal',
  'src/platform/observability/logger.ts': 'lines of the log, made visible there, written at once',
  'src/audit/copies/stdout.ts': "records, made visible there; it waits for the stream's answer",
  'src/cli/main.ts': 'hands the streams to run, which wraps them',
};

/** No text of others steers a terminal: there is one place that writes, and it shows control characters instead. */
const oneWriter = {
  create: (context) => ({
    [[
      "MemberExpression[object.name='process'][property.name=/^std(out|err)$/]",
      "VariableDeclarator[init.name='process'] > ObjectPattern > Property[key.name=/^std(out|err)$/]",
      'ImportDeclaration[source.value=/^(node:)?process$/] > ImportSpecifier[imported.name=/^std(out|err)$/]',
      "MemberExpression[object.name='console']",
      "CallExpression[callee.name=/^write(File)?Sync$/][arguments.0.type='Literal']",
      "MemberExpression[object.name='pino'][property.name='destination']",
    ].join(', ')](node) {
      context.report({
        node,
        message:
          'Use standardOutput or standardError of platform/observability/terminal, or what the command is given.',
      });
    },
  }),
};

const pureFiles = Object.entries(rooms.ROOMS)
  .filter(([, room]) => room.pure)
  .flatMap(([name, { pureFolders = [] }]) => [
    `src/${name}/*.ts`,
    ...pureFolders.map((folder) => `src/${name}/${folder}/**/*.ts`),
  ]);

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'dist.new/',
      'dist.old/',
      'coverage/',
      'node_modules/',
      'src/proto/',
      '.planning-engine/',
      '**/*.js',
      '**/*.mjs',
      '**/*.cjs',
      'test/histories/',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-restricted-properties': ['error', ...lostSignals],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: Object.keys(ownTexts.OWN_TEXTS),
    plugins: { texts: { rules: { 'one-parser': oneParser } } },
    rules: { 'texts/one-parser': 'error' },
  },
  {
    files: ['src/**/*.ts'],
    ignores: Object.keys(WRITERS),
    plugins: { output: { rules: { 'one-writer': oneWriter } } },
    rules: { 'output/one-writer': 'error' },
  },
  {
    // Time, timers, random values and bytes are handed in (scripts/rooms.cjs lists the pure modules).
    files: pureFiles,
    rules: {
      'no-restricted-globals': [
        'error',
        ...['setTimeout', 'setInterval', 'setImmediate', 'fetch', 'process', 'performance'].map((name) => ({
          name,
          message: 'A pure module gets it handed in: kernel/timers has the types.',
        })),
      ],
      'no-restricted-properties': [
        'error',
        ...lostSignals,
        { object: 'Date', property: 'now', message: 'A pure module gets the time handed in.' },
        { object: 'Math', property: 'random', message: 'A pure module gets random values handed in.' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'A pure module gets the time handed in.',
        },
      ],
    },
  },
  {
    // Workflow code runs in Temporal's sandbox: nothing that reads a clock, a file or a socket may get in.
    files: ['src/workflows/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: nodeModules.flatMap((name) => [name, `node:${name}`]),
          patterns: ['@temporalio/worker', '@temporalio/client', '@temporalio/activity'],
        },
      ],
      'no-restricted-syntax': [
        'error',
        ...['BinaryExpression[operator=/^[<>]=?$/]', "Property[key.name='nowMs']"].map((where) => ({
          selector: `${where} > CallExpression[callee.object.name='Date'][callee.property.name='now']`,
          message: 'In a replay this is another time after a local activity: compare with steadyNow().',
        })),
      ],
    },
  },
);
