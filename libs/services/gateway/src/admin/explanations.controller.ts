import { Controller, Get, Inject, Query, Req } from '@nestjs/common';
import { api, type policyContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { z } from 'zod';
import type { Edge } from '../edge.js';
import { explainIdentity } from '../identity/choose-identity.js';
import { isMadeByAuth } from '../identity/obtain-identity.js';
import type { Account } from '../snapshot/directory-state.js';
import { actorOf, EDGE, type AdminRequest } from './admin-guard.js';
import { becauseOf, sentenceOf } from './explanation-words.js';
import { requireCapability } from './identity-desk.js';
import { Needs } from './needs.js';
import { Operation } from './operation.js';

/** `/api/v1/identities/explain`: whose account a call would carry now, and why; decided by what decides calls. */
@Controller('api/v1/identities/explain')
@Needs('signed-in')
export class ExplanationsController {
  constructor(@Inject(EDGE) private readonly edge: Edge) {}

  @Get()
  @Operation({
    summary: 'Whose account is used when somebody calls a server, and why; about others with identities.read',
    query: api.explainQuery,
    answer: api.explanation,
    errors: ['unknown_server', 'not_found', 'capability_missing', 'policy_stale'],
  })
  explain(@Query() { server, person }: z.output<typeof api.explainQuery>, @Req() request: AdminRequest): z.output<typeof api.explanation> {
    const own = actorOf(request).callerId;
    const id = person ?? own;
    if (id !== own) requireCapability(request, 'identities.read');
    const directory = this.edge.state.directory();
    const entry = this.edge.state.policy().server(server)?.entry;
    if (entry === undefined) throw new Refusal('unknown_server');
    const choice = explainIdentity(directory, entry, id);
    const account = directory.account(id);
    if (choice === undefined || account === undefined) throw new Refusal('not_found', { person: id });
    const { outcome, identity, reason } = choice;
    const about = { server, person: { id, name: account.name }, identityMode: entry.identityMode, outcome, reason };
    const shown = identity === null ? null : { id: identity.id, name: identity.name, visibility: identity.owner === 'global' ? ('global' as const) : ('private' as const), status: identity.status };
    const facts = { ...about, isMade: isMadeFor(entry, account) };
    return { ...about, identity: shown, because: becauseOf(facts), sentence: sentenceOf({ ...facts, identity: shown }) };
  }
}

function isMadeFor(entry: policyContracts.SnapshotServer, { kind }: Pick<Account, 'kind'>): 'yes' | 'no' | 'not_for_service_accounts' {
  if (!isMadeByAuth(entry)) return 'no';
  return kind === 'person' || entry.grant === 'client_credentials' ? 'yes' : 'not_for_service_accounts';
}
