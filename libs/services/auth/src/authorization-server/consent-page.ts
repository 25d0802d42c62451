import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Client, Interaction } from 'oidc-provider';
import { html, type Html } from '../pages/page.js';
import type { LoginSession } from '../sign-in/login-sessions.js';
import { isLoopback } from './client-metadata.js';

/** What the consent page tells. */
export interface ConsentFacts {
  interaction: Interaction;
  client: Client;
  session: LoginSession;
  /** Ties the form to this page, this interaction and this sign-in. */
  token: string;
}

/** A token for one consent form of one person's sign-in; worth nothing anywhere else. */
export function consentToken(key: string, uid: string, loginSession: string): string {
  return createHmac('sha256', key).update(`consent:${uid}:${loginSession}`).digest('base64url');
}

/** Whether a form carries the token it was shown with. */
export function isConsentToken(given: string, key: string, uid: string, loginSession: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(consentToken(key, uid, loginSession))];
  return a.length === b.length && timingSafeEqual(a, b);
}

const SCOPES: Readonly<Record<string, string>> = {
  'mcp:access': 'Use the tools of this endpoint in your name, within your organisation’s policies',
  admin: 'Administer Gatehouse in your name, with everything your roles allow',
  openid: 'Know your Gatehouse account id',
  offline_access: 'Stay connected when you are away',
};

/**
 * What a person must see before a client acts for them (MCP authorization, security considerations):
 * who the client says it is, by which id, where the answer goes, what it gets, for which endpoint.
 */
export function consentBody({ interaction, client, session, token }: ConsentFacts): Html {
  const { params } = interaction;
  const redirect = String(params['redirect_uri']);
  // Every name is isolated: one that runs right to left must not turn the words around it.
  return html`<p><strong dir="auto">${client.clientName || 'A client without a name'}</strong> wants to connect to Gatehouse as <strong dir="auto">${session.name}</strong>${session.email === null ? undefined : html` (${session.email})`}.</p>
${warningOf(client, redirect)}
<dl>
<dt>Client</dt><dd dir="auto">${client.clientName || '(gives no name)'}</dd>
<dt>Client id</dt><dd><code>${client.clientId}</code></dd>
<dt>Answer goes to</dt><dd>${placeOf(redirect)}</dd>
<dt>Endpoint</dt><dd><code>${String(params['resource'] ?? '')}</code></dd>
<dt>It may</dt><dd><ul>${String(params['scope'] ?? '').split(' ').map((scope) => html`<li>${SCOPES[scope] ?? scope}</li>`)}</ul></dd>
</dl>
<form method="post" action="/interaction/${interaction.uid}">
<input type="hidden" name="csrf" value="${token}">
<div class="actions">
<button class="primary" name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Do not allow</button>
</div>
</form>
<p class="faint">Only allow what you just started yourself. You can end this connection at any time. Not you? <a href="/session/end">Sign out</a>, then connect again from your client.</p>`;
}

// Any program on a person's machine can listen there and call itself anything (mcp-protocol.md 4.2, A-06).
function warningOf(client: Client, redirect: string): Html | undefined {
  const uris = client.redirectUris ?? [];
  if (uris.length > 0 && uris.every(isLoopback)) {
    return html`<p class="warning" role="note"><strong>This client runs on your computer, so nobody can check who it is.</strong> Any program there could use this name. Go on only if you started it yourself just now.</p>`;
  }
  if (!redirect.startsWith('https:')) {
    return html`<p class="warning" role="note"><strong>The answer goes to an app on your device, and any app can claim its address.</strong> Go on only if you started it yourself just now.</p>`;
  }
  return undefined;
}

// The host as browsers know it (punycode), so that no letter looks like another; an app's own scheme says which app.
function placeOf(uri: string): Html {
  const { protocol, host } = new URL(uri);
  if (protocol === 'https:') return html`<code>${host}</code>`;
  if (protocol === 'http:') return html`<code>${host}</code> (a program on this computer)`;
  return html`<code>${protocol}//${host}</code> (an app on this device)`;
}
