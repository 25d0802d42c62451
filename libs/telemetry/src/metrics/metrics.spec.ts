import { describe, expect, it } from '@jest/globals';
import { Metrics } from './metrics.js';
import { processMetrics } from './process-metrics.js';

describe('Metrics', () => {
  it('renders every kind in the Prometheus text format', () => {
    const metrics = new Metrics();
    const calls = metrics.counter('gatehouse_calls_total', 'Calls', ['outcome', 'server']);
    calls.labels('ok', 'demo').inc();
    calls.labels('ok', 'demo').inc(2);
    metrics.gauge('gatehouse_streams', 'Streams').set(3);
    metrics.gauge('gatehouse_streams', 'Streams').add(-1);
    const seconds = metrics.histogram('gatehouse_call_seconds', 'Time', [], [0.1, 1]);
    [0.1, 0.5, 7, Number.NaN].forEach((value) => seconds.observe(value));
    expect(metrics.render()).toBe(`# HELP gatehouse_calls_total Calls
# TYPE gatehouse_calls_total counter
gatehouse_calls_total{outcome="ok",server="demo"} 3
# HELP gatehouse_streams Streams
# TYPE gatehouse_streams gauge
gatehouse_streams 2
# HELP gatehouse_call_seconds Time
# TYPE gatehouse_call_seconds histogram
gatehouse_call_seconds_bucket{le="0.1"} 1
gatehouse_call_seconds_bucket{le="1"} 2
gatehouse_call_seconds_bucket{le="+Inf"} 3
gatehouse_call_seconds_sum 7.6
gatehouse_call_seconds_count 3
`);
  });

  it('escapes what would end a line or a label', () => {
    const metrics = new Metrics();
    metrics.counter('a_total', 'back\\slash\nline', ['v']).labels('"\\\n').inc();
    expect(metrics.render()).toContain('# HELP a_total back\\\\slash\\nline\n');
    expect(metrics.render()).toContain('a_total{v="\\"\\\\\\n"} 1\n');
  });

  it('counts the values of a label beyond the hundredth as other', () => {
    const calls = new Metrics().counter('a_total', 'A', ['tool', 'outcome']);
    for (let number = 0; number < 150; number++) calls.labels(`tool-${number}`, 'ok').inc();
    expect(calls.labels('tool-99', 'ok').value).toBe(1);
    expect(calls.labels('other', 'ok').value).toBe(50);
    expect(calls.labels('tool-149', 'ok')).toBe(calls.labels('other', 'ok'));
    expect(calls.labels('tool-99', 'failed')).not.toBe(calls.labels('other', 'failed'));
  });

  it('bounds the combinations of several labels', () => {
    const calls = new Metrics().counter('a_total', 'A', ['a', 'b']);
    for (let a = 0; a < 90; a++) for (let b = 0; b < 90; b++) calls.labels(`${a}`, `${b}`).inc();
    const cells = [...calls.cells()];
    expect(cells).toHaveLength(1_001);
    expect(cells.reduce((sum, { cell }) => sum + cell.value, 0)).toBe(8_100);
    expect(calls.labels('other', 'other').value).toBe(8_100 - 1_000);
  });

  it('does not mix up values that look alike when joined', () => {
    const calls = new Metrics().counter('a_total', 'A', ['a', 'b']);
    expect(calls.labels('x,y', 'z')).not.toBe(calls.labels('x', 'y,z'));
  });

  it('cuts long values, which still find their cell', () => {
    const calls = new Metrics().counter('a_total', 'A', ['a']);
    expect(calls.labels('x'.repeat(5_000))).toBe(calls.labels('x'.repeat(128)));
  });

  it('gives the same metric to whoever asks again, and refuses another shape', () => {
    const metrics = new Metrics();
    expect(metrics.counter('a_total', 'A', ['x'])).toBe(metrics.counter('a_total', 'A', ['x']));
    expect(() => metrics.counter('a_total', 'A', ['y'])).toThrow('another shape');
    expect(() => metrics.gauge('a_total', 'A', ['x'])).toThrow('another shape');
    expect(() => metrics.counter('a', 'A')).toThrow('_total');
    expect(() => metrics.gauge('a-b', 'A')).toThrow('not a metric');
    expect(() => metrics.counter('a_total', 'A', ['x']).inc()).toThrow('use labels');
    expect(() => metrics.counter('a_total', 'A', ['x']).labels('1', '2')).toThrow('has the labels x');
  });
});

describe('processMetrics', () => {
  it('tells memory, CPU time and how late the event loop was', async () => {
    const metrics = new Metrics();
    const measuring = processMetrics(metrics);
    await new Promise((resolve) => setTimeout(resolve, 40));
    for (const until = Date.now() + 120; Date.now() < until; );
    await new Promise((resolve) => setTimeout(resolve, 40));
    const text = metrics.render();
    measuring.close();
    const value = (name: string): number => Number(text.split('\n').find((line) => line.startsWith(`${name} `))?.slice(name.length));
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(1e7);
    expect(value('process_cpu_seconds_total')).toBeGreaterThan(0.05);
    expect(value('process_start_time_seconds')).toBeGreaterThan(1.7e9);
    expect(value('nodejs_eventloop_lag_seconds{quantile="1"}')).toBeGreaterThan(0.08);
  });
});
