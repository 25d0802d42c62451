import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Metrics } from '../metrics/metrics.js';
import { HealthChecks } from './health-checks.js';
import { startMetricsListener } from './metrics-listener.js';

describe('the metrics listener', () => {
  let metrics: Metrics;
  let health: HealthChecks;
  let listener: { port: number; close(): Promise<void> };
  const get = (path: string, method = 'GET'): Promise<Response> =>
    fetch(`http://127.0.0.1:${listener.port}${path}`, { method, signal: AbortSignal.timeout(5_000) });

  beforeEach(async () => {
    metrics = new Metrics();
    health = new HealthChecks();
    listener = await startMetricsListener({ listen: '127.0.0.1:0', metrics, health });
  });
  afterEach(() => listener.close());

  it('serves the metrics', async () => {
    metrics.counter('a_total', 'A').inc();
    const answer = await get('/metrics');
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await answer.text()).toContain('\na_total 1\n');
  });

  it('answers 500 when a value cannot be read, and goes on', async () => {
    metrics.onRender(() => {
      throw new Error('gone');
    });
    expect((await get('/metrics')).status).toBe(500);
    expect((await get('/livez')).status).toBe(200);
  });

  it('is live whatever is missing', async () => {
    health.register('database', () => false);
    expect((await get('/livez')).status).toBe(200);
  });

  it('names what is missing, in whichever way a check says so', async () => {
    health.register('fine', () => Promise.resolve(true));
    health.register('database', () => false);
    health.register('policies', () => 'no snapshot yet');
    health.register('bus', () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.7')));
    const answer = await get('/readyz');
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({
      ready: false,
      missing: [
        { name: 'database', reason: 'not available' },
        { name: 'policies', reason: 'no snapshot yet' },
        { name: 'bus', reason: 'could not be checked' },
      ],
    });
  });

  it('does not wait for a check that hangs', async () => {
    health.register('stuck', () => new Promise<boolean>(() => undefined));
    const answer = await get('/readyz');
    expect(await answer.json()).toEqual({ ready: false, missing: [{ name: 'stuck', reason: 'did not answer in time' }] });
  });

  it('has started once it was ready, also when something is lost later', async () => {
    let up = false;
    health.register('database', () => up);
    expect((await get('/startupz')).status).toBe(503);
    up = true;
    expect((await get('/startupz')).status).toBe(200);
    up = false;
    expect((await get('/startupz')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(503);
  });

  it('answers nothing else', async () => {
    expect((await get('/')).status).toBe(404);
    expect((await get('/metrics', 'POST')).status).toBe(405);
    expect(await (await get('/livez', 'HEAD')).text()).toBe('');
  });

  it('refuses an address that is taken or is none', async () => {
    const again = (listen: string): Promise<unknown> => startMetricsListener({ listen, metrics, health });
    await expect(again(`127.0.0.1:${listener.port}`)).rejects.toThrow(`cannot listen on 127.0.0.1:${listener.port}`);
    await expect(again('9464')).rejects.toThrow('is not host:port');
  });
});
