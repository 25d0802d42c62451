const MAX_LINES = 300;
const MAX_FUNCTION_LINES = 50;

const codeOnly = { skipBlankLines: true, skipComments: true };

/** Sizes of what people read: where a limit is passed, something has two jobs. */
export const sizes = {
  'max-lines': ['error', { max: MAX_LINES, ...codeOnly }],
  'max-lines-per-function': ['error', { max: MAX_FUNCTION_LINES, ...codeOnly, IIFEs: true }],
  complexity: ['error', 10],
  'max-depth': ['error', 3],
  'max-params': ['error', 4],
};

/** Tables, schemas and migrations are as long as what they list. */
export const TABLES = ['**/*-table.ts', '**/migrations/**', '**/*migrations.ts', '**/schemas/**', 'libs/contracts/src/**'];

/** A suite is one function by construction. */
export const TESTS = ['**/*.spec.ts', '**/*.conformance.ts', '**/*.story.ts', 'apps/*/test/**'];

/** Switches the length rules off. */
export const noSizes = { 'max-lines': 'off', 'max-lines-per-function': 'off' };

/** A row of a test table has as many parameters as columns. */
export const noSizesOfTests = { ...noSizes, 'max-params': 'off' };
