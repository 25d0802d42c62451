import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startOauthUpstream, type OauthUpstream } from '@gatehouse/testing';
import { linkIn, LOCAL_ACCOUNTS, Member } from './identities/member.js';
import { admin, eventually, inBothForms, registered, servedEverywhere } from './world/world.js';

inBothForms('A server that wants OAuth', (world) => {
  let upstream: OauthUpstream;
  let alice: Member;

  beforeAll(async () => {
    upstream = await startOauthUpstream({ scopes: ['notes'] });
    alice = await Member.join(world(), 'Alice');
  }, 60_000);
  afterAll(() => upstream.close());

  it('is added by its address alone and tells each hop', async () => {
    const shown = await registered(world(), { name: 'notes', url: upstream.url }).catch((error) => error);
    console.log(JSON.stringify(shown, null, 1));
    await servedEverywhere(world(), 'notes');
    const page = await alice.connect('notes');
    console.log(page.status, page.url, page.text, page.hops);
    const client = alice.client('notes');
    const init = await client.initialize();
    console.log(JSON.stringify(init.messages));
    console.log(JSON.stringify((await client.call('whoami')).messages));
    console.log(upstream.requests().map((r) => `${r.at} ${r.method} ${r.path}`));
  }, 60_000);
}, () => ({ auth: LOCAL_ACCOUNTS }));
