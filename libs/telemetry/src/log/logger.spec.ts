import { describe, expect, it } from '@jest/globals';
import { Fault, Refusal, Secret } from '@gatehouse/kernel';
import { createLogger, type Logger } from './logger.js';
import { nestLogger } from './nest-logger.js';

function capture(): { log: Logger; lines: () => Record<string, unknown>[]; text: () => string } {
  const written: string[] = [];
  const log = createLogger({ service: 'gateway', level: 'trace', destination: { write: (line) => void written.push(line) } });
  return { log, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>), text: () => written.join('') };
}

describe('createLogger', () => {
  it('writes one JSON object per line with time, level and service', () => {
    const { log, lines } = capture();
    log.info({ server: 'demo' }, 'server probed');
    expect(lines()).toEqual([{ level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), service: 'gateway', server: 'demo', msg: 'server probed' }]);
  });

  it('writes nothing below its level', () => {
    const written: string[] = [];
    const log = createLogger({ service: 'auth', level: 'warn', destination: { write: (line) => void written.push(line) } });
    log.info('quiet');
    log.warn('loud');
    expect(written).toHaveLength(1);
  });

  it.each(['password', 'clientSecret', 'access_token', 'x-api-key', 'Authorization', 'set-cookie', 'privateKey', 'code_verifier'])(
    'masks the value of %s, however deep',
    (name) => {
      const { log, text } = capture();
      log.info({ [name]: 'hunter2', request: { headers: [{ [name]: ['hunter2'] }] } }, 'x');
      expect(text()).not.toContain('hunter2');
      expect(text()).toContain('[redacted]');
    },
  );

  it('leaves names that only resemble them', () => {
    const { log, lines } = capture();
    log.info({ tokenId: 'tok_1', secretVersion: 'v2', tokens: 'x', hasPassword: true, maxToken: 5 });
    expect(lines()[0]).toMatchObject({ tokenId: 'tok_1', secretVersion: 'v2', hasPassword: true, maxToken: 5 });
  });

  it.each([
    ['Bearer abcdefghijkl', 'Bearer [redacted]'],
    ['connect to postgres://gatehouse:hunter2@db:5432/x', 'connect to postgres://[redacted]@db:5432/x'],
    ['got eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln.', 'got [redacted].'],
    ['token ghp_gatehouse_AAAAAAAAAA', 'token [redacted]'],
  ])('masks a secret by its form in %s', (text, expected) => {
    const { log, lines } = capture();
    log.error({ err: new Error(text) }, text);
    expect(lines()[0]).toMatchObject({ msg: expected, err: { message: expected } });
  });

  it('prints a Secret masked', () => {
    const { log, text } = capture();
    log.info({ key: Secret.fromText('hunter2') }, 'x');
    expect(text()).toContain('"key":"[secret]"');
  });

  it('shows of an error its known members and its causes, and no stack of a refusal', () => {
    const { log, lines, text } = capture();
    const cause = Object.assign(new Error('insert failed'), { code: '42P01', parameters: ['hunter2'], config: { headers: 'hunter2' } });
    const fault = new Fault('not stored', { cause });
    log.error({ err: fault }, 'failed');
    log.info({ err: new Refusal('not_found', { server: 'demo' }) }, 'refused');
    expect(lines()[0]).toMatchObject({ err: { type: 'Fault', id: fault.id, message: 'not stored', cause: { code: '42P01', message: 'insert failed' } } });
    expect(lines()[1]!['err']).toEqual({ type: 'Refusal', code: 'not_found', message: expect.any(String), details: { server: 'demo' } });
    expect(text()).not.toContain('hunter2');
  });

  it('survives an object that contains itself', () => {
    const { log, lines } = capture();
    const ring: Record<string, unknown> = { name: 'ring' };
    ring['self'] = ring;
    log.info(ring, 'round');
    expect(lines()[0]).toMatchObject({ msg: 'round', name: 'ring' });
  });
});

describe('nestLogger', () => {
  it('maps levels, context and stack', () => {
    const { log, lines } = capture();
    const nest = nestLogger(log);
    nest.log('ready', 'Bus');
    nest.error('broken', 'Error: broken\n    at here', 'Bus');
    nest.verbose?.('detail');
    expect(lines()).toMatchObject([
      { level: 'info', msg: 'ready', context: 'Bus' },
      { level: 'error', msg: 'broken', context: 'Bus', stack: 'Error: broken\n    at here' },
      { level: 'trace', msg: 'detail' },
    ]);
  });

  it('takes objects and errors as they are', () => {
    const { log, lines } = capture();
    const nest = nestLogger(log);
    nest.error({ msg: 'request failed', subject: 'rpc.v1.auth.x.y', err: new Error('why') }, 'Bus');
    nest.error(new Error('bare'));
    expect(lines()).toMatchObject([
      { msg: 'request failed', context: 'Bus', subject: 'rpc.v1.auth.x.y', err: { message: 'why' } },
      { msg: 'bare', err: { message: 'bare' } },
    ]);
  });

  it('lowers what Nest says of its own wiring', () => {
    const { log, lines } = capture();
    nestLogger(log).log('AuthModule dependencies initialized', 'InstanceLoader');
    expect(lines()[0]).toMatchObject({ level: 'debug' });
  });
});
