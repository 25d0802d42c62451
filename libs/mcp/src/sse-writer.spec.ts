import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Refusal } from '@gatehouse/kernel';
import { SseParser } from './sse-parser.js';
import { SSE_KEEP_ALIVE, writeSseEvent } from './sse-writer.js';

const read = (bytes: Buffer | string): { id?: string; event?: string; data: string }[] =>
  new SseParser({ maxEventBytes: 1 << 20 }).push(Buffer.from(bytes)).map((event) => ({ ...event, data: event.data.toString('utf8') }));

describe('writeSseEvent', () => {
  it.each<[Parameters<typeof writeSseEvent>[0], string]>([
    [{ data: '{"a":1}' }, 'data: {"a":1}\n\n'],
    [{ data: Buffer.from('{"a":1}') }, 'data: {"a":1}\n\n'],
    [{ id: 's1-4', event: 'message', data: 'x', retry: 1500 }, 'id: s1-4\nevent: message\nretry: 1500\ndata: x\n\n'],
    [{ id: 's1-0', data: '' }, 'id: s1-0\ndata: \n\n'],
    [{ data: 'a\nb\r\nc\rd' }, 'data: a\ndata: b\ndata: c\ndata: d\n\n'],
    [{ data: Buffer.from('{\r\n}') }, 'data: {\ndata: }\n\n'],
  ])('writes %j', (event, text) => {
    expect(writeSseEvent(event).toString('utf8')).toBe(text);
  });

  it.each(['\n', '\r', '\r\n', '\n\ndata: forged\n\n', '\0'])('refuses %j in id and event', (attack) => {
    expect(() => writeSseEvent({ id: `1${attack}`, data: '' })).toThrow(Refusal);
    expect(() => writeSseEvent({ event: `message${attack}`, data: '' })).toThrow(Refusal);
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses %p as retry', (retry) => {
    expect(() => writeSseEvent({ data: '', retry })).toThrow(Refusal);
  });

  it('is read back as exactly one event, whatever the data holds', () => {
    const nasty = fc.string({ unit: fc.constantFrom('\n', '\r', ':', ' ', 'data: ', 'id: 9', 'é', '\0', 'x') });
    fc.assert(
      fc.property(nasty, fc.boolean(), (data, asBytes) => {
        const bytes = writeSseEvent({ id: '1', data: asBytes ? Buffer.from(data) : data });
        expect(read(bytes)).toEqual([{ id: '1', data: data.replaceAll(/\r\n|\r/g, '\n') }]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps a stream alive without an event', () => {
    expect(read(SSE_KEEP_ALIVE)).toEqual([]);
  });
});
