import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { EdgeStage } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';

const HEAD_WITHIN_MS = 13_000;

describe('the connections of an edge', () => {
  const neighbours = new Neighbours();
  let stage: EdgeStage;

  beforeAll(async () => {
    await neighbours.serve();
    stage = await (await EdgeStage.start(neighbours)).ready();
  }, 20_000);

  afterAll(async () => {
    await stage.close();
    await neighbours.close();
  });

  const said = (bytes: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(stage.gateway.port, '127.0.0.1');
      let text = '';
      socket.setEncoding('latin1').on('data', (more: string) => (text += more));
      socket.on('error', () => undefined).on('close', () => resolve(text));
      socket.write(bytes);
    });

  it.each([
    ['a tunnel', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n', 405, 'method_not_allowed'],
    ['an unknown expectation', 'POST /mcp/x HTTP/1.1\r\nHost: gatehouse.test\r\nExpect: miracles\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', 401, 'unauthenticated'],
    ['no host', 'POST /mcp/x HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', 403, 'origin_denied'],
    ['no host in the old version', 'POST /mcp/x HTTP/1.0\r\nContent-Length: 0\r\n\r\n', 403, 'origin_denied'],
    ['a head of twenty kilobytes', `GET /mcp/x HTTP/1.1\r\nHost: gatehouse.test\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'bad_request'],
    ['no HTTP', 'EHLO evil.example\r\n', 400, 'bad_request'],
  ])('refuse %s with one answer and one record', async (_what, bytes, status, code) => {
    const before = await stage.recordsSoFar();
    const text = await said(bytes);
    expect([text.match(/^HTTP\/1\.1 \d+/gm), (await stage.recordsAfter(before)).map(({ outcome }) => [outcome?.code, outcome?.httpStatus])]).toEqual([[`HTTP/1.1 ${status}`], [[code, status]]]);
  });

  it('write one record for a body that breaks, the one of its call', async () => {
    const before = await stage.recordsSoFar();
    const token = neighbours.addToken('ada');
    await stage.changed();
    const head = `POST /mcp/x HTTP/1.1\r\nHost: gatehouse.test\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nAccept: */*\r\nTransfer-Encoding: chunked\r\n\r\n`;
    expect(await said(`${head}zz\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
    expect(await stage.recordsAfter(before)).toMatchObject([{ facts: { endpoint: 'x', caller: { name: 'ada' } }, outcome: { code: 'bad_request' } }]);
  });

  it('write nothing for one that is opened and closed', async () => {
    const before = await stage.recordsSoFar();
    await new Promise<void>((resolve) => {
      const socket = connect(stage.gateway.port, '127.0.0.1', () => socket.destroy());
      socket.on('close', () => resolve());
    });
    expect(await stage.recordsSoFar()).toBe(before);
  });

  it('are cut when the head does not come to its end (E-22)', async () => {
    const before = await stage.recordsSoFar();
    const started = Date.now();
    const text = await said('POST /mcp/x HTTP/1.1\r\nHost: gatehouse.test\r\nX-Slow: ');
    expect(Date.now() - started).toBeLessThan(HEAD_WITHIN_MS);
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect((await stage.recordsAfter(before)).map(({ outcome }) => outcome?.code)).toEqual(['request_timeout']);
  }, 20_000);
});
