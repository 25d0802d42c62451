/** True when well; false or a sentence saying what is missing (shown to whoever asks, so no addresses or secrets). */
export type HealthCheck = () => boolean | string | Promise<boolean | string>;

/** What readiness answers with. */
export interface HealthReport {
  ready: boolean;
  missing: { name: string; reason: string }[];
}

const CHECK_LIMIT_MS = 2_000;

/** What has to be there before this process should get traffic. */
export class HealthChecks {
  private readonly checks = new Map<string, HealthCheck>();
  private started = false;

  /** Adds a check, or replaces the one of that name. One that rejects or takes over 2 s counts as missing. */
  register(name: string, check: HealthCheck): void {
    this.checks.set(name, check);
  }

  /** Runs all checks side by side. */
  async report(): Promise<HealthReport> {
    const rows = await Promise.all([...this.checks].map(async ([name, check]) => ({ name, reason: await reasonOf(check) })));
    const missing = rows.flatMap(({ name, reason }) => (reason === undefined ? [] : [{ name, reason }]));
    this.started ||= missing.length === 0;
    return { ready: missing.length === 0, missing };
  }

  /** Whether the process was ever ready: a start that is done stays done. */
  async startup(): Promise<HealthReport> {
    return this.started ? { ready: true, missing: [] } : this.report();
  }
}

async function reasonOf(check: HealthCheck): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<string>((resolve) => (timer = setTimeout(() => resolve('did not answer in time'), CHECK_LIMIT_MS)));
  // Why a check failed may name inner addresses; what it tells on purpose it returns.
  const answer = Promise.resolve().then(check).catch(() => 'could not be checked');
  const result = await Promise.race([answer, limit]).finally(() => clearTimeout(timer));
  if (result === true) return undefined;
  return result === false ? 'not available' : result;
}
