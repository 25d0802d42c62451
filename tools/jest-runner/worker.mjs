import { pathToFileURL } from 'node:url';
import * as circus from 'jest-circus';
import { expect, jest } from './globals.mjs';

const environment = { ...process.env };

circus.addEventHandler(follow);

process.on('message', async (order) => {
  const answer = await runFile(order).then((result) => ({ result }), (error) => ({ broken: error?.stack ?? String(error) }));
  process.send({ rss: process.memoryUsage().rss, ...answer });
});

async function runFile({ path, timeoutMs, pattern }) {
  circus.resetState();
  circus.setState({ ...circus.getState(), testTimeout: timeoutMs, testNamePattern: pattern === null ? null : new RegExp(pattern, 'i') });
  expect.setState({ testPath: path, currentTestName: undefined, suppressedErrors: [] });
  const start = Date.now();
  await import(pathToFileURL(path).href);
  const { testResults, unhandledErrors } = await circus.run();
  restore();
  return { start, end: Date.now(), unhandledErrors, tests: testResults.map(plain) };
}

/** What Jest's own adapter does at these moments: the name for messages, and the assertions that were promised. */
function follow({ name, test }) {
  if (name === 'test_start') {
    expect.setState({ currentTestName: nameOf(test), assertionCalls: 0, expectedAssertionsNumber: null, isExpectingAssertions: false });
  }
  if (name !== 'test_done') return;
  const { suppressedErrors = [] } = expect.getState();
  test.errors.push(...suppressedErrors, ...expect.extractExpectedAssertionsErrors().map(({ error }) => error));
  expect.setState({ suppressedErrors: [] });
}

function nameOf({ name, parent }) {
  return parent.parent === undefined ? name : `${nameOf(parent)} ${name}`;
}

// The first part of a path is the root block, which nobody named.
function plain({ testPath: [, ...names], duration, errors, status, numPassingAsserts }) {
  return { names, duration, errors, status, numPassingAsserts };
}

/** The next file finds the process as this one did, but for the modules that are loaded. */
function restore() {
  jest.restoreAllMocks();
  jest.useRealTimers();
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
}
