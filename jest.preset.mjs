/** What every project's tests share: modules loaded by Node, TypeScript through swc (ADR 0014). */
export const preset = {
  runner: '<rootDir>/tools/jest-runner/runner.mjs',
  modulePathIgnorePatterns: ['/dist/'],
  transform: {},
};
