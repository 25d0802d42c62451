import type { ServiceName } from '@gatehouse/contracts';
import { natsPermissions } from './permissions.js';

const SERVICES: readonly ServiceName[] = ['gateway', 'auth', 'vault', 'policy', 'audit'];
// An answer is one message; a second one costs nothing and leaves room for a transport that ends with an empty one.
const ANSWERS_A_QUESTION = 2;

/**
 * A nats-server configuration with an account per installation and a user per service, who may do what
 * the contracts say. Passwords are variables (`$vault_password`) of the file that `passwords` names,
 * relative to the configuration; it is the only part that is secret. Where events are stored is told
 * on the command line (`-sd`).
 */
export function natsServerConfig({ passwords }: { passwords: string }): string {
  return `# The bus of Gatehouse: who may ask what, from libs/contracts (npm run docs writes this file).
include ${JSON.stringify(passwords)}

port: 4222
http: 127.0.0.1:8222
server_name: gatehouse
max_payload: 1MB
# Shorter than the time a container has to stop.
lame_duck_duration: 30s
lame_duck_grace_period: 2s

jetstream {
  max_memory_store: 64MB
  max_file_store: 2GB
}

accounts {
  GATEHOUSE {
    jetstream: enabled
    users: [
${SERVICES.map(user).join('\n')}
    ]
  }
}
`;
}

function user(service: ServiceName): string {
  const { publish, subscribe, answersWithinMs } = natsPermissions(service);
  const answers = answersWithinMs === undefined ? '' : `\n          allow_responses: { max: ${ANSWERS_A_QUESTION}, expires: "${answersWithinMs / 1_000}s" }`;
  return `      {
        user: ${service}
        password: $${service}_password
        permissions {
          publish: { allow: [${lines(publish)}] }
          subscribe: { allow: [${lines(subscribe)}] }${answers}
        }
      }`;
}

function lines(subjects: readonly string[]): string {
  return `\n${subjects.map((subject) => `            ${JSON.stringify(subject)}`).join('\n')}\n          `;
}
