import { api } from '@gatehouse/contracts';
import type { Command } from 'commander';
import { fieldList } from '../output/table.js';
import { invocation, verb, type Context } from '../verb.js';

const KINDS = { person: 'person', service_account: 'service account' } as const;

/** `gatehouse whoami`. */
export function addWhoami(program: Command, context: Context): void {
  verb(program, 'whoami', 'Show who the token belongs to and what it may do', 'gatehouse whoami').action(async (options) => {
    const answer = await context.api.ask({ path: '/whoami', answer: api.whoami });
    invocation(context, options).answer(answer, () =>
      fieldList({
        name: answer.name,
        kind: KINDS[answer.kind],
        id: answer.id,
        'e-mail': answer.email,
        roles: answer.roles.join(', '),
        teams: answer.teams.join(', '),
        scopes: answer.scopes.join(', '),
        capabilities: answer.capabilities.join(', '),
        client: answer.clientId ?? 'none: a personal access token',
        gateway: context.surroundings.url,
      }),
    );
  });
}
