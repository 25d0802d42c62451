import type { FastifyInstance } from 'fastify';
import { html, sendPage, type Html } from '../pages/page.js';
import type { LoginSessions } from './login-sessions.js';

/** What the start page works with. */
export interface HomeRouteParts {
  sessions: LoginSessions;
  publicOrigin: string;
}

/** `/`: where a sign-in ends that nothing else asked for, and what a person sees who opens Gatehouse's address. */
export function registerHome(fastify: FastifyInstance, { sessions, publicOrigin }: HomeRouteParts): void {
  fastify.get('/', async (request, reply) => {
    const session = await sessions.current(request.headers.cookie);
    if (session === undefined) return sendPage(reply, 200, 'This is Gatehouse', welcome(publicOrigin));
    return sendPage(reply, 200, 'You are signed in', signedInBody(session.name, publicOrigin));
  });
}

/** What somebody reads who is signed in: as whom, and how a client is connected. */
export function signedInBody(name: string, publicOrigin: string): Html {
  return html`<p>This browser is signed in as <strong dir="auto">${name}</strong>, for eight hours from the sign-in. You can connect a client now.</p>
${steps(publicOrigin)}
<p class="faint">Not you, or not your computer? <a href="/session/end">Sign out</a>.</p>`;
}

function welcome(publicOrigin: string): Html {
  return html`<p>AI clients reach your organisation’s tools through it, in your name. There is nothing to install here:</p>
${steps(publicOrigin)}
<div class="actions"><a class="button primary" href="/login">Sign in</a></div>`;
}

function steps(publicOrigin: string): Html {
  return html`<ol class="steps">
<li>Give your MCP client the address of a server: <code>${publicOrigin}/mcp/&lt;server&gt;</code></li>
<li>The client opens this browser. Sign in if asked, check who wants to connect, and allow it.</li>
<li>Its calls then run in your name, by your organisation’s policies.</li>
</ol>`;
}
