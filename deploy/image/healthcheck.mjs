const LIMIT_MS = 2_500;

/** Asks this container's own readiness; 0 when it says yes. A browserless image has nothing else to ask with. */
export async function healthcheck(env) {
  const listen = env.GATEHOUSE_METRICS_LISTEN || '127.0.0.1:9464';
  const port = listen.slice(listen.lastIndexOf(':') + 1);
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(LIMIT_MS) });
    if (answer.ok) return 0;
    // Kept by the engine and shown by docker inspect.
    process.stderr.write(`${answer.status} ${await answer.text()}\n`);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
  }
  return 1;
}
