import type { upstreamContracts } from '@gatehouse/contracts';
import { html, type Html } from '../pages/page.js';
import type { Connection } from './connection-rows.js';
import type { WantedHeader } from './header-lines.js';

/** What every connect page tells. */
export interface ConnectFacts {
  upstream: Pick<upstreamContracts.UpstreamServer, 'name' | 'url' | 'preset'>;
  connection: Pick<Connection, 'owner' | 'name' | 'identityId'>;
  /** Who is signed in. */
  personName: string;
}

/** The page before a person is sent to sign in: where to, and what it will be for. */
export function signInBody(facts: ConnectFacts, destination: URL, token: Html): Html {
  const { upstream } = facts;
  return html`<p>You are about to sign in at <strong>${destination.host}</strong>, so that Gatehouse can use <strong>${titleOf(facts)}</strong> ${forWhom(facts)}.</p>
${factList(facts, html`<dt>You sign in at</dt><dd>${destination.host}</dd>`)}
${sharedWarning(facts)}
<form method="post">${token}
<div class="actions"><button class="primary">Go on to ${destination.host}</button></div></form>
<p class="faint">Gatehouse never sees your password. It keeps what ${destination.host} gives it in its vault, and sends it to ${new URL(upstream.url).host} only.</p>
${notYou()}`;
}

/** The page on which a person types in a token of their own; `isBad` after something that cannot be one. */
export function headersBody(facts: ConnectFacts, headers: readonly WantedHeader[], { token, isBad }: { token: Html; isBad: boolean }): Html {
  const fields = headers.map(
    ({ name }, at) => html`<p><label for="header-${at}">${labelOf(name)}</label><br>
<input id="header-${at}" name="header-${at}" type="password" required autocomplete="off" spellcheck="false" maxlength="8192"></p>`,
  );
  return html`<p>${titleOf(facts)} takes a token of yours. Paste it here, and Gatehouse uses it ${forWhom(facts)}.</p>
${factList(facts, html``)}
${sharedWarning(facts)}
${help(facts)}
${isBad ? html`<p class="warning" role="alert">That cannot be a token: it is empty, too long, or has characters that no token has. Nothing was stored.</p>` : undefined}
<form method="post">${token}${fields}
<div class="actions"><button class="primary">Connect</button></div></form>
<p class="faint">It is kept in Gatehouse’s vault. Nobody can read it there, and it is sent to ${new URL(facts.upstream.url).host} only.</p>
${notYou()}`;
}

/** The page after it worked. */
export function connectedBody({ upstream, connection }: Pick<ConnectFacts, 'upstream' | 'connection'>): Html {
  const whose = connection.owner === 'global' ? 'Everybody who may use this server now uses that account.' : 'Calls you make to it use this account from now on.';
  return html`<p>Your account at <strong>${upstream.preset?.title ?? upstream.name}</strong> is connected. ${whose}</p>
<p>You can close this page and go back to your client. If a call was waiting for this, make it again.</p>`;
}

function titleOf({ upstream }: ConnectFacts): string {
  return upstream.preset?.title ?? upstream.name;
}

function forWhom({ connection }: ConnectFacts): string {
  return connection.owner === 'global' ? 'for everybody in your organisation' : 'in your name';
}

function factList({ upstream, connection, personName }: ConnectFacts, more: Html): Html {
  const name = connection.name === null ? undefined : html`<dt>Account name</dt><dd>${connection.name}</dd>`;
  return html`<dl>
<dt>Server</dt><dd>${upstream.name} (${new URL(upstream.url).host})</dd>
${more}<dt>Signed in here as</dt><dd dir="auto">${personName}</dd>
${name}</dl>`;
}

function sharedWarning({ connection }: ConnectFacts): Html | undefined {
  if (connection.owner !== 'global') return undefined;
  return html`<p class="warning">This account will be shared: everybody who may use this server acts as it. Do not sign in with your personal account.</p>`;
}

function help({ upstream: { preset } }: ConnectFacts): Html | undefined {
  if (preset === null) return undefined;
  const notes = preset.notes === null ? undefined : html`<p>${preset.notes}</p>`;
  const link = preset.documentation === null ? undefined : html`<p><a href="${preset.documentation}" rel="noreferrer">How to make a token at ${preset.title}</a></p>`;
  return html`${notes}${link}`;
}

function labelOf(name: string): string {
  return name.toLowerCase() === 'authorization' ? 'Token' : name;
}

function notYou(): Html {
  return html`<p class="faint">Close this page if you did not ask for this. Not you? <a href="/session/end">Sign out</a>.</p>`;
}
