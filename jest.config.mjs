import { preset } from './jest.preset.mjs';

const project = (displayName, roots, testMatch) => ({ ...preset, displayName, roots, testMatch });

/**
 * Units and conformance suites; stories are a second project because they start whole Gatehouses and
 * want the machine without the units.
 */
export default {
  projects: [
    {
      ...project('unit', ['<rootDir>/libs', '<rootDir>/apps', '<rootDir>/tools'], ['**/*.spec.ts']),
      globalSetup: '<rootDir>/jest-database.config.mjs',
      globalTeardown: '<rootDir>/jest-database-stop.config.mjs',
    },
    project('story', ['<rootDir>/apps/e2e/src'], ['**/*.story.ts']),
  ],
  maxWorkers: 2,
  testTimeout: 30_000,
};
