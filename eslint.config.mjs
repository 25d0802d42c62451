import nx from '@nx/eslint-plugin';
import parser from '@typescript-eslint/parser';
import { boundaries, testBoundaries } from './tools/lint/boundaries.mjs';
import { fences } from './tools/lint/fences.mjs';
import { ownRules } from './tools/lint/own-rules.mjs';
import { noSizes, noSizesOfTests, sizes, TABLES, TESTS } from './tools/lint/sizes.mjs';

const mistakes = {
  'array-callback-return': 'error',
  eqeqeq: ['error', 'always', { null: 'ignore' }],
  'getter-return': 'error',
  'no-async-promise-executor': 'error',
  'no-constant-condition': ['error', { checkLoops: 'allExceptWhileTrue' }],
  'no-control-regex': 'error',
  'no-debugger': 'error',
  'no-dupe-else-if': 'error',
  'no-duplicate-case': 'error',
  'no-empty': 'error',
  'no-eval': 'error',
  'no-fallthrough': 'error',
  'no-implied-eval': 'error',
  'no-irregular-whitespace': 'error',
  'no-loss-of-precision': 'error',
  'no-new-func': 'error',
  'no-promise-executor-return': 'off',
  'no-prototype-builtins': 'error',
  'no-self-assign': 'error',
  'no-self-compare': 'error',
  'no-sparse-arrays': 'error',
  'no-template-curly-in-string': 'error',
  'no-unmodified-loop-condition': 'error',
  'no-unsafe-finally': 'error',
  'no-unreachable': 'error',
  'no-useless-catch': 'error',
  'no-useless-escape': 'error',
  'no-var': 'error',
  'prefer-const': 'error',
  'prefer-promise-reject-errors': 'error',
  'use-isnan': 'error',
};

// The only default export: ESLint asks for it.
export default [
  { ignores: ['**/dist/**', '**/node_modules/**', '**/coverage/**', '**/reports/**', '.nx/**', '**/.gatehouse/**'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts', '**/*.mjs'],
    languageOptions: { parser, ecmaVersion: 'latest', sourceType: 'module' },
    plugins: { '@nx': nx, gatehouse: ownRules },
    rules: { ...mistakes, ...sizes, 'gatehouse/file-names': 'error' },
  },
  { files: ['**/*.ts'], rules: { ...boundaries, 'gatehouse/doc-comments': 'error' } },
  ...fences,
  { files: TABLES, rules: noSizes },
  { files: TESTS, rules: { ...noSizesOfTests, ...testBoundaries, 'gatehouse/doc-comments': 'off', 'no-restricted-imports': 'off', 'no-restricted-globals': 'off' } },
  // The helper that registers a leg as skipped is where skipping is allowed.
  { files: ['libs/testing/src/servers/server-leg.ts', '*.config.mjs', '*.preset.mjs'], rules: { 'no-restricted-syntax': 'off' } },
];
