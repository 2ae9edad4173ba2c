import js from '@eslint/js';
import tseslint from 'typescript-eslint';

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

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'coverage/',
      'node_modules/',
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
    },
  },
);
