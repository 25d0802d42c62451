const NO_SNAPSHOTS = { added: 0, fileDeleted: false, matched: 0, unchecked: 0, uncheckedKeys: [], unmatched: 0, updated: 0 };

/** One file's outcome in the form that Jest's reporters read. */
export function asJestResult(test, { start, end, tests, unhandledErrors }) {
  const testResults = tests.map(asAssertion);
  const count = (status) => testResults.filter((each) => each.status === status).length;
  const outside = unhandledErrors.join('\n');
  return {
    displayName: test.context.config.displayName,
    failureMessage: failureMessage(testResults, outside),
    leaks: false,
    numFailingTests: count('failed'),
    numPassingTests: count('passed'),
    numPendingTests: count('pending'),
    numTodoTests: count('todo'),
    openHandles: [],
    perfStats: { start, end, runtime: end - start, slow: false },
    skipped: false,
    snapshot: NO_SNAPSHOTS,
    // Thrown outside of every test: Jest counts the file as one that could not run.
    testExecError: outside === '' ? undefined : { message: outside, stack: outside },
    testFilePath: test.path,
    testResults,
  };
}

function asAssertion({ names, duration, errors, status, numPassingAsserts }) {
  return {
    ancestorTitles: names.slice(0, -1),
    duration,
    failureDetails: [],
    failureMessages: errors,
    fullName: names.join(' '),
    invocations: 1,
    location: null,
    numPassingAsserts,
    retryReasons: [],
    status: asStatus(status, errors),
    title: names.at(-1),
  };
}

function asStatus(status, errors) {
  if (status === 'done') return errors.length > 0 ? 'failed' : 'passed';
  return status === 'skip' ? 'pending' : status;
}

function failureMessage(testResults, outside) {
  const failed = testResults.flatMap(({ ancestorTitles, title, failureMessages }) =>
    failureMessages.map((message) => `  ● ${[...ancestorTitles, title].join(' › ')}\n\n${message.replace(/^/gm, '    ')}\n`),
  );
  return outside === '' && failed.length === 0 ? null : [outside, ...failed].join('\n');
}
