const NOTHING = { passed: 0, failed: 0, skipped: 0, tests: [] };

/** Reads one `jest --json` report: counts, and every test with its duration in milliseconds. */
export function readReport(report) {
  const tests = report.testResults.flatMap((file) =>
    file.assertionResults.map((test) => ({ name: test.fullName, file: file.name, ms: test.duration ?? 0 })),
  );
  return {
    passed: report.numPassedTests,
    // A suite that could not even be loaded has no failed test of its own and would vanish from the count.
    failed: report.numFailedTests + report.numRuntimeErrorTestSuites,
    skipped: report.numPendingTests + report.numTodoTests,
    tests,
  };
}

/** A leg that gave no report, or did not end well: one failure, so that no count looks green. */
export function failedLeg() {
  return { ...NOTHING, failed: 1 };
}

/** Adds up the legs. */
export function total(legs) {
  return legs.reduce(
    (sum, leg) => ({
      passed: sum.passed + leg.passed,
      failed: sum.failed + leg.failed,
      skipped: sum.skipped + leg.skipped,
      tests: [...sum.tests, ...leg.tests],
    }),
    NOTHING,
  );
}

/** The slowest tests, one line each. */
export function slowest(tests, count, root) {
  return tests
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, count)
    .map(({ name, file, ms }) => `${(ms / 1000).toFixed(1).padStart(6)} s  ${name}  (${file.replace(root, '')})`);
}

/** The line that closes every run. */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** 0 only when something ran and nothing failed; in CI a skipped test is a failure too. */
export function exitCode({ passed, failed, skipped }, ci) {
  return failed > 0 || passed === 0 || (ci && skipped > 0) ? 1 : 0;
}
