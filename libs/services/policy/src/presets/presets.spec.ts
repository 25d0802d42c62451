import { readdirSync } from 'node:fs';
import { upstreamContracts } from '@gatehouse/contracts';
import { requireHeaderNames } from '@gatehouse/kernel';
import { describe, expect, it } from '@jest/globals';
import { requireOauthUrls } from '../servers/oauth-urls.js';
import { builtInPresets } from './built-in-presets.js';
import { effectiveOauth } from './effective-oauth.js';
import { PresetBook } from './preset-book.js';

const bearer = { name: 'Authorization', prefix: 'Bearer ' };
const authedUser = { accessToken: 'authed_user.access_token', refreshToken: 'authed_user.refresh_token', expiresIn: 'authed_user.expires_in', scope: 'authed_user.scope' };

type Row = [preset: string, url: string, domain: RegExp, oauth: upstreamContracts.UpstreamOauth, header: upstreamContracts.Preset['header']];

/** For each file: a server of the provider, what its hosts end with, and what is to apply there. */
const ROWS: Row[] = [
  ['asana', 'https://mcp.asana.com/v2/mcp', /(?:^|\.)asana\.com$/, { clientAuthMethod: 'client_secret_basic', resource: 'send' }, null],
  ['atlassian', 'https://mcp.atlassian.com/v1/mcp/authv2', /(?:^|\.)atlassian\.com$/, { issuerAlias: 'https://auth.atlassian.com' }, null],
  ['auth0', 'https://example.eu.auth0.com/mcp', /(?:^|\.)auth0\.com$/, {}, null],
  ['clickup', 'https://mcp.clickup.com/mcp', /(?:^|\.)clickup\.com$/, {}, null],
  ['cloudflare', 'https://radar.mcp.cloudflare.com/mcp', /(?:^|\.)cloudflare\.com$/, {}, bearer],
  ['datadog', 'https://mcp.us5.datadoghq.com/api/unstable/mcp-server/mcp', /(?:^|\.)datadoghq\.(?:com|eu)$/, { clientAuthMethod: 'none' }, null],
  ['figma', 'https://mcp.figma.com/mcp', /(?:^|\.)figma\.com$/, {}, null],
  ['github', 'https://api.githubcopilot.com/mcp/', /(?:^|\.)githubcopilot\.com$/, { assumePkce: true }, bearer],
  ['gitlab', 'https://gitlab.com/api/v4/mcp', /(?:^|\.)gitlab\.com$/, { scopes: ['mcp'] }, null],
  ['google', 'https://bigquery.googleapis.com/mcp', /(?:^|\.)googleapis\.com$/, { authorizeParams: { access_type: 'offline', prompt: 'consent' } }, null],
  ['hubspot', 'https://mcp.hubspot.com', /(?:^|\.)hubspot\.com$/, {}, null],
  ['intercom', 'https://mcp.eu.intercom.com/mcp', /(?:^|\.)intercom\.com$/, {}, bearer],
  ['linear', 'https://mcp.linear.app/mcp', /(?:^|\.)linear\.app$/, {}, bearer],
  ['microsoft', 'https://mcp.dev.azure.com/example', /(?:^|\.)(?:azure|dynamics)\.com$/, { resource: 'omit', refreshScope: true, assumePkce: true }, null],
  ['microsoft', 'https://example.crm4.dynamics.com/api/mcp', /(?:^|\.)(?:azure|dynamics)\.com$/, { resource: 'omit', refreshScope: true, assumePkce: true }, null],
  ['monday', 'https://mcp.monday.com/mcp', /(?:^|\.)monday\.com$/, {}, bearer],
  ['neon', 'https://mcp.neon.tech/mcp', /(?:^|\.)neon\.tech$/, {}, bearer],
  ['notion', 'https://mcp.notion.com/mcp', /(?:^|\.)notion\.com$/, {}, null],
  ['okta', 'https://example.okta.com/mcp', /(?:^|\.)okta\.com$/, {}, null],
  ['pagerduty', 'https://mcp.pagerduty.com/mcp', /(?:^|\.)pagerduty\.com$/, {}, { name: 'Authorization', prefix: 'Token token=' }],
  ['sentry', 'https://mcp.sentry.dev/mcp', /(?:^|\.)sentry\.dev$/, { registration: 'dynamic' }, { name: 'Authorization', prefix: 'Sentry-Bearer ' }],
  [
    'slack',
    'https://mcp.slack.com/mcp',
    /(?:^|\.)slack\.com$/,
    {
      clientAuthMethod: 'client_secret_post',
      authorizeUrl: 'https://slack.com/oauth/v2_user/authorize',
      tokenUrl: 'https://slack.com/api/oauth.v2.user.access',
      issuerAlias: 'https://slack.com',
      tokenPaths: authedUser,
    },
    null,
  ],
  ['stripe', 'https://mcp.stripe.com', /(?:^|\.)stripe\.com$/, {}, bearer],
  ['supabase', 'https://mcp.supabase.com/mcp?read_only=true', /(?:^|\.)supabase\.com$/, {}, bearer],
  ['zapier', 'https://mcp.zapier.com/api/v1/connect', /(?:^|\.)zapier\.com$/, {}, bearer],
];

describe('the presets that are shipped', () => {
  const presets = builtInPresets();
  const book = new PresetBook(presets, []);

  it.each(ROWS)('%s: applies to %s', (name, url, domain, oauth, header) => {
    const preset = book.of(url);
    expect(preset).toMatchObject({ name, header });
    expect(effectiveOauth(preset!.oauth, {})).toEqual(oauth);
    for (const host of preset!.hosts) expect(host).toMatch(domain);
  });

  it('are in the table above one and all, parse by the contract and keep the rules for what administrators write', () => {
    const files = readdirSync(new URL('../../presets/', import.meta.url)).map((file) => file.replace(/\.json$/, ''));
    expect([...new Set(ROWS.map(([name]) => name))]).toEqual(files.sort());
    for (const preset of presets) {
      expect(upstreamContracts.preset.parse(preset)).toEqual(preset);
      expect(() => requireOauthUrls(preset.oauth, false)).not.toThrow();
      expect(() => requireHeaderNames(preset.header === null ? [] : [preset.header.name])).not.toThrow();
      expect([preset.documentation, preset.notes]).toEqual([expect.stringMatching(/^https:/), expect.any(String)]);
    }
    const hosts = presets.flatMap((preset) => preset.hosts);
    expect(new Set(hosts).size).toBe(hosts.length);
  });
});

describe('the preset of a server', () => {
  const preset = (name: string, ...hosts: string[]): upstreamContracts.Preset => ({ name, title: name, hosts, oauth: {}, header: null, documentation: null, notes: null });
  const builtIn = [preset('wide', '*.example.com'), preset('narrow', '*.mcp.example.com'), preset('exact', 'a.mcp.example.com', 'example.org')];
  const edited = [preset('ours', '*.mcp.example.com', 'b.mcp.example.com'), preset('exact', 'example.net')];

  it.each([
    ['https://a.mcp.example.com/x', 'exact', 'ours'],
    ['https://b.mcp.example.com/', 'narrow', 'ours'],
    ['https://c.mcp.example.com:8443/', 'narrow', 'ours'],
    ['https://c.d.mcp.example.com./', 'narrow', 'ours'],
    ['https://mcp.example.com/', 'wide', 'wide'],
    ['https://API.Example.COM/', 'wide', 'wide'],
    ['https://example.com/', null, null],
    ['https://notexample.com/', null, null],
    ['https://example.com.evil.test/', null, null],
    ['https://example.org/', 'exact', null],
    ['https://example.net/', null, 'exact'],
    ['https://[::1]/', null, null],
  ])('%s: by its very host, else by the longest that it is below; as shipped %s, with edited ones %s', (url, shipped, with_) => {
    expect(new PresetBook(builtIn, []).of(url)?.name ?? null).toBe(shipped);
    expect(new PresetBook(builtIn, edited).of(url)?.name ?? null).toBe(with_);
  });

  it('lies under what is set for the server, parameters one by one', () => {
    const shipped = { scopes: ['a', 'b'], assumePkce: true, authorizeParams: { prompt: 'consent', access_type: 'offline' }, tokenPaths: { scope: 'x' } };
    const own = { scopes: [], authorizeParams: { prompt: 'login' }, tokenParams: { audience: 'api' }, tokenPaths: { accessToken: 'y' } };
    expect(effectiveOauth(shipped, own)).toEqual({
      ...{ scopes: [], assumePkce: true, authorizeParams: { prompt: 'login', access_type: 'offline' } },
      ...{ tokenParams: { audience: 'api' }, tokenPaths: { accessToken: 'y' } },
    });
  });
});
