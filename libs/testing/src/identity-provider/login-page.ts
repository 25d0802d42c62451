import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import type { People } from './people.js';

/**
 * The provider's login page: one form with one field `login` (a person's `sub` or address), no
 * password. Unknown and disabled people see why and the form again.
 */
export async function answerLogin(request: IncomingMessage, response: ServerResponse, provider: Provider, people: People): Promise<void> {
  if (request.method !== 'POST') return show(response, 200, '');
  const login = new URLSearchParams(await bodyOf(request)).get('login') ?? '';
  const person = people.byLogin(login);
  if (person === undefined) return show(response, 401, 'Nobody has this name.');
  if (person.disabled) return show(response, 403, 'This account is disabled.');
  await provider.interactionFinished(request, response, { login: { accountId: person.sub } });
}

function show(response: ServerResponse, status: number, problem: string): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
  response.end(`<!doctype html>
<html lang="en"><head><title>Acme sign-in</title></head><body>
<h1>Acme sign-in</h1><p>${problem}</p>
<form method="post"><label>User name <input name="login" autofocus></label><button>Continue</button></form>
</body></html>
`);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
