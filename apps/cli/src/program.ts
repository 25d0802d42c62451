import { Command } from 'commander';
import { AdminApi } from './admin-api.js';
import { addAudit } from './commands/audit.js';
import { addCall } from './commands/call.js';
import { addCatalogue } from './commands/catalogue.js';
import { addClient } from './commands/client.js';
import { addCompletion } from './commands/completion.js';
import { addConnect } from './commands/connect.js';
import { addGrant } from './commands/grant.js';
import { addIdentityProvider } from './commands/identity-provider.js';
import { addIdentity } from './commands/identity.js';
import { addLogin } from './commands/login.js';
import { addPerson } from './commands/person.js';
import { addPolicy } from './commands/policy.js';
import { addPreset } from './commands/preset.js';
import { addRole } from './commands/role.js';
import { addServer } from './commands/server.js';
import { addServiceAccount } from './commands/service-account.js';
import { addSigningKey } from './commands/signing-key.js';
import { addVaultKey } from './commands/vault-key.js';
import { addTeam } from './commands/team.js';
import { addTokenIssuer } from './commands/token-issuer.js';
import { addToken } from './commands/token.js';
import { addWhoami } from './commands/whoami.js';
import type { Surroundings } from './surroundings.js';

const VERSION = '0.1.0';

const ENVIRONMENT = `
Environment:
  GATEHOUSE_URL       address of the gateway (default http://127.0.0.1:8080)
  GATEHOUSE_TOKEN     access token; else what gatehouse login stored for this GATEHOUSE_URL,
                      else <data directory>/admin.token
  GATEHOUSE_DATA_DIR  data directory of a local Gatehouse (default .gatehouse)

Exit codes: 0 ok, 1 refused or failed, 2 usage, 3 not signed in, 4 a check failed.
Each verb's --help has an example.`;

/** The whole command tree. Errors of usage are thrown, not printed and exited on. */
export function buildProgram(surroundings: Surroundings): Command {
  const program = new Command('gatehouse');
  program
    .description('Talk to a Gatehouse: its servers, policies, people, tokens and record')
    .version(VERSION)
    .configureOutput({ writeOut: (text) => surroundings.stdout.write(text), writeErr: (text) => surroundings.stderr.write(text) })
    .addHelpText('after', ENVIRONMENT)
    .exitOverride();
  const context = { surroundings, api: new AdminApi(surroundings) };
  addLogin(program, context);
  addWhoami(program, context);
  addServer(program, context);
  addConnect(program, context);
  addIdentity(program, context);
  addCatalogue(program, context);
  addPreset(program, context);
  addCall(program, context);
  addPolicy(program, context);
  addAudit(program, context);
  addToken(program, context);
  addPerson(program, context);
  addTeam(program, context);
  addRole(program, context);
  addServiceAccount(program, context);
  addClient(program, context);
  addGrant(program, context);
  addIdentityProvider(program, context);
  addTokenIssuer(program, context);
  addSigningKey(program, context);
  addVaultKey(program, context);
  addCompletion(program, surroundings);
  return program;
}
