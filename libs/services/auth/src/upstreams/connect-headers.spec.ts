import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expectSoundPage } from '../pages/sound-page.conformance.js';
import { ConnectStage } from './connect-stage.conformance.js';
import { headerValue } from './header-lines.js';

let stage: ConnectStage;

beforeAll(async () => {
  stage = await ConnectStage.start();
}, 60_000);
afterAll(() => stage.close(), 30_000);

const PRESET = { name: 'acme', title: 'Acme', hosts: ['acme.example'], oauth: {}, header: { name: 'X-Acme-Key', prefix: 'key ' }, documentation: 'https://acme.example/tokens', notes: 'Make a token with the scope “read”.' };

describe('connecting where a token is typed in', () => {
  it('shows what it is for, and keeps what was typed in the vault alone', async () => {
    const upstream = stage.register({ auth: 'headers', secretHeaders: ['Authorization', 'X-Team'], url: 'https://api.acme.example/mcp' });
    const { id: personId, browser } = await stage.person();
    const { id, url } = await stage.link(personId, upstream);
    const page = await browser.get(url);
    expectSoundPage(page);
    expect(page.text).toContain('Paste it here, and Gatehouse uses it in your name.');
    expect(page.forms[0]!.fields.map(({ name, type }) => [name, type]).filter(([name]) => name !== 'csrf')).toEqual([['header-0', 'password'], ['header-1', 'password']]);
    const done = await browser.submit(page.forms[0], { 'header-0': ' ghp_canary_1234567890 ', 'header-1': 'blue' });
    expectSoundPage(done);
    expect(done.text).toContain('is connected');
    const { identityId } = await stage.state(id, personId);
    expect(stage.lines(identityId)).toEqual([['Authorization', 'Bearer ghp_canary_1234567890'], ['X-Team', 'blue']]);
    expect(stage.auth.logLines.join()).not.toContain('canary');
  });

  it('takes the header of a preset, tells where to get one, and replaces what was there', async () => {
    const upstream = stage.register({ auth: 'headers', preset: PRESET });
    const { id: personId, browser } = await stage.person();
    const first = await stage.link(personId, upstream);
    const page = await browser.get(first.url);
    expectSoundPage(page);
    expect(page.text).toContain('Make a token with the scope “read”.');
    expect(page.links.map(({ href }) => href)).toContain('https://acme.example/tokens');
    await browser.submit(page.forms[0], { 'header-0': 'one' });
    const { identityId } = await stage.state(first.id, personId);
    const again = await stage.link(personId, upstream);
    const second = await browser.get(again.url);
    await browser.submit(second.forms[0], { 'header-0': 'two' });
    expect((await stage.state(again.id, personId)).identityId).toBe(identityId);
    expect(stage.lines(identityId)).toEqual([['X-Acme-Key', 'key two']]);
  });

  it('asks again for what can be no header, and stores nothing', async () => {
    const upstream = stage.register({ auth: 'headers', secretHeaders: ['X-Key'] });
    const { id: personId, browser } = await stage.person();
    const { id, url } = await stage.link(personId, upstream);
    for (const typed of ['', 'naïve', 'a\r\nhost: evil']) {
      const page = await browser.submit((await browser.get(url)).forms[0], { 'header-0': typed });
      expectSoundPage(page);
      expect([page.status, page.text]).toEqual([422, expect.stringContaining('That cannot be a token')]);
    }
    expect((await stage.state(id, personId)).state).toBe('waiting');
  });

  it('warns before an account is shared', async () => {
    const upstream = stage.register({ auth: 'headers', identityMode: 'global', secretHeaders: ['X-Key'] });
    const { id, browser } = await stage.person();
    const page = await browser.get((await stage.link(id, upstream, { owner: 'global' })).url);
    expectSoundPage(page);
    expect(page.text).toContain('everybody who may use this server acts as it');
  });

  it('says that a server is stopped or gone', async () => {
    const upstream = stage.register({ auth: 'headers' });
    const { id, browser } = await stage.person();
    const { url } = await stage.link(id, upstream);
    stage.change(upstream, { state: 'stopped' });
    expect((await browser.get(url)).text).toContain('This server is stopped');
    stage.auth.neighbours.upstreams.delete(upstream.id);
    expect((await browser.get(url)).text).toContain('This server is gone');
  });
});

describe('a header value', () => {
  it.each([
    ['abc', 'Bearer ', 'Bearer abc'],
    ['Bearer abc', 'Bearer ', 'Bearer abc'],
    ['bearer abc', 'Bearer ', 'bearer abc'],
    ['Basic YTpi', 'Bearer ', 'Basic YTpi'],
    ['abc', '', 'abc'],
    ['  abc\n', 'token ', 'token abc'],
    [' ', 'Bearer ', undefined],
    ['a\tb', '', undefined],
    ['x'.repeat(8_193), '', undefined],
  ])('%j after %j', (typed, prefix, expected) => {
    expect(headerValue(typed, { name: 'Authorization', prefix })).toBe(expected);
  });
});
