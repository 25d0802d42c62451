import { describe, expect, it } from '@jest/globals';
import { closingLine, exitCode, failedLeg, readReport, slowest, total } from './test-report.mjs';

const test = (fullName: string, duration: number | null) => ({ fullName, duration });
const report = (over: object = {}) => ({
  numPassedTests: 2,
  numFailedTests: 0,
  numPendingTests: 1,
  numTodoTests: 0,
  numRuntimeErrorTestSuites: 0,
  testResults: [{ name: '/repo/libs/a.spec.ts', assertionResults: [test('fast', 5), test('slow', 1_500), test('skipped', null)] }],
  ...over,
});

describe('the closing line of npm test', () => {
  it('adds up all legs', () => {
    expect(closingLine(total([readReport(report()), readReport(report())]))).toBe('4 passed, 0 failed, 2 skipped');
  });

  it('counts a suite that could not be loaded and a leg without a report as failures', () => {
    const sum = total([readReport(report({ numRuntimeErrorTestSuites: 1 })), failedLeg()]);
    expect(closingLine(sum)).toBe('2 passed, 2 failed, 1 skipped');
    expect(exitCode(sum, false)).toBe(1);
  });

  it.each([
    ['skipped tests outside CI', report(), false, 0],
    ['skipped tests in CI', report(), true, 1],
    ['a failed test', report({ numFailedTests: 1 }), false, 1],
    ['no test at all', report({ numPassedTests: 0 }), false, 1],
  ])('%s: exit code', (_, given, ci, code) => {
    expect(exitCode(readReport(given), ci)).toBe(code);
  });

  it('lists the slowest tests first', () => {
    expect(slowest(readReport(report()).tests, 1, '/repo/')).toEqual(['   1.5 s  slow  (libs/a.spec.ts)']);
  });
});
