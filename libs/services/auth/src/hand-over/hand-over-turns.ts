import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';

/** What came of an attempt: the account, or a sentence about what is in the way. */
export type HandOverOutcome = { identityId: string; problem: null } | { identityId: null; problem: string };

/** For whom an account is made, and how. */
export interface HandOverTurn {
  serverId: string;
  owner: string;
  /** The account when it is there already. */
  present: () => Promise<string | undefined>;
  make: () => Promise<HandOverOutcome>;
  /** Somebody changed something: what was in the way a moment ago need not be any more. */
  isAnew?: boolean;
}

const TURN_MS = 30_000;
const WAIT_MS = 12_000;
const REFUSED_MS = 10_000;
const POLL_MS = 60;

/**
 * One attempt at a time for an owner at a server, over all replicas: the first calls of a client come
 * many at once, and each would have tokens exchanged. What was in the way is remembered for ten seconds.
 */
export class HandOverTurns {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /** The account that is there, or what comes of the one attempt. */
  async once(turn: HandOverTurn): Promise<HandOverOutcome> {
    const holder = randomUUID();
    for (const limit = performance.now() + WAIT_MS; performance.now() < limit; await sleep(POLL_MS + Math.random() * POLL_MS)) {
      const known = await this.known(turn);
      if (known !== undefined) return known;
      if (await this.take(turn, holder)) return this.attempt(turn, holder);
    }
    return { identityId: null, problem: 'The account is still being made: try again in a moment.' };
  }

  private async known(turn: HandOverTurn): Promise<HandOverOutcome | undefined> {
    const identityId = await turn.present();
    if (identityId !== undefined) return { identityId, problem: null };
    if (turn.isAnew === true) return undefined;
    const sql = 'SELECT problem FROM hand_over_turns WHERE server_id = $1 AND owner = $2 AND problem IS NOT NULL AND problem_until > $3';
    const [row] = await this.db.query<{ problem: string }>(sql, [turn.serverId, turn.owner, this.clock.now()]);
    return row === undefined ? undefined : { identityId: null, problem: row.problem };
  }

  private async take({ serverId, owner }: HandOverTurn, holder: string): Promise<boolean> {
    const taken = await this.db.query(
      `INSERT INTO hand_over_turns AS t (server_id, owner, holder, until) VALUES ($1, $2, $3, clock_timestamp() + $4 * interval '1 millisecond')
       ON CONFLICT (server_id, owner) DO UPDATE SET holder = excluded.holder, until = excluded.until, problem = NULL
        WHERE t.until IS NULL OR t.until < clock_timestamp() RETURNING server_id`,
      [serverId, owner, holder, TURN_MS],
    );
    return taken.length === 1;
  }

  private async attempt(turn: HandOverTurn, holder: string): Promise<HandOverOutcome> {
    let problem: string | null = null;
    try {
      // Another may have been done between the look and the turn.
      const known = await this.known(turn);
      const outcome = known ?? (await turn.make());
      problem = outcome.problem;
      return outcome;
    } finally {
      await this.end(turn, holder, problem);
    }
  }

  private async end({ serverId, owner }: HandOverTurn, holder: string, problem: string | null): Promise<void> {
    const mine = 'WHERE server_id = $1 AND owner = $2 AND holder = $3';
    if (problem === null) await this.db.query(`DELETE FROM hand_over_turns ${mine}`, [serverId, owner, holder]);
    else await this.db.query(`UPDATE hand_over_turns SET holder = NULL, until = NULL, problem = $4, problem_until = $5 ${mine}`, [serverId, owner, holder, problem, this.clock.now() + REFUSED_MS]);
  }
}
