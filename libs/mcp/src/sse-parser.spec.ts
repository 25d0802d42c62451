import { describe, expect, it } from '@jest/globals';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import fc from 'fast-check';
import { Refusal } from '@gatehouse/kernel';
import { SseParser } from './sse-parser.js';

interface TextEvent {
  id?: string;
  event?: string;
  data: string;
}

function parse(chunks: readonly (string | Buffer)[], maxEventBytes = 1 << 20): TextEvent[] {
  const parser = new SseParser({ maxEventBytes });
  return chunks.flatMap((chunk) => parser.push(Buffer.from(chunk))).map((event) => ({ ...event, data: event.data.toString('utf8') }));
}

function refusal(act: () => unknown): string {
  try {
    act();
    return 'accepted';
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.code;
  }
}

const cut = (bytes: Buffer, sizes: readonly number[]): Buffer[] => {
  const chunks: Buffer[] = [];
  let at = 0;
  for (let index = 0; at < bytes.length; index++) {
    const size = sizes[index % sizes.length] as number;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
};

describe('SseParser', () => {
  it.each(['\n', '\r', '\r\n'])('reads events with %j as line end', (end) => {
    const stream = ['id: 1', 'event: message', 'data: {"a":1}', '', 'data:no space', '', 'data:  two', ''].join(end) + end;
    expect(parse([stream])).toEqual([{ id: '1', event: 'message', data: '{"a":1}' }, { data: 'no space' }, { data: ' two' }]);
  });

  it('gives an event as soon as its last byte is there, a lone CR included', () => {
    expect(parse(['data: a\r\r'])).toEqual([{ data: 'a' }]);
    expect(parse(['data: a\n\n'])).toEqual([{ data: 'a' }]);
  });

  it('joins several data lines with LF', () => {
    expect(parse(['data: a\ndata\ndata:b\n\n'])).toEqual([{ data: 'a\n\nb' }]);
  });

  it('skips one leading byte order mark only', () => {
    expect(parse(['\ufeffdata: a\n\n\ufeffdata: b\n\n'])).toEqual([{ data: 'a' }]);
    expect(parse([Buffer.from([0xef]), Buffer.from([0xbb]), Buffer.concat([Buffer.from([0xbf]), Buffer.from('data: a\n\n')])])).toEqual([{ data: 'a' }]);
  });

  it('ignores comments, unknown fields and blocks without data', () => {
    expect(parse([': hi\n\n', 'foo: 1\nDATA: x\ndatax: y\n\n', 'event: only\n\n', 'data: a\n\n'])).toEqual([{ data: 'a' }]);
  });

  it('drops what the stream did not finish', () => {
    const parser = new SseParser({ maxEventBytes: 100 });
    expect(parser.push(Buffer.from('id: 9\ndata: a\n'))).toEqual([]);
    expect(parser.midEvent).toBe(true);
    expect(parser.lastEventId).toBe('');
  });

  it('gives the priming event of 2025-11-25: an id and empty data', () => {
    expect(parse(['id: s1-0\ndata: \n\n'])).toEqual([{ id: 's1-0', data: '' }]);
  });

  it('keeps the last event id and the retry time', () => {
    const parser = new SseParser({ maxEventBytes: 100 });
    parser.push(Buffer.from('id: 7\nretry: 1500\n\n'));
    expect([parser.lastEventId, parser.retryMs]).toEqual(['7', 1500]);
    parser.push(Buffer.from('id: 8\0\nretry: 15x\n\ndata: a\n\nretry: 99999999999999999999\n\n'));
    expect([parser.lastEventId, parser.retryMs]).toEqual(['7', 1500]);
    parser.push(Buffer.from('id\n\n'));
    expect(parser.lastEventId).toBe('');
  });

  it('refuses bytes that are not UTF-8 in any line', () => {
    const bad = Buffer.from([0xff]);
    for (const field of ['data: ', ': ', 'id: ', 'x']) {
      expect(refusal(() => parse([Buffer.concat([Buffer.from(field), bad, Buffer.from('\n')])]))).toBe('upstream_invalid');
    }
  });

  it('cuts an event that has no end at the limit, however it is spelled', () => {
    for (const endless of ['x'.repeat(200), 'data: abc\n'.repeat(30), ': c\n'.repeat(60), 'data:\r'.repeat(50)]) {
      expect(refusal(() => parse([endless], 100))).toBe('upstream_too_large');
      expect(refusal(() => parse(cut(Buffer.from(endless), [1]), 100))).toBe('upstream_too_large');
    }
  });

  it('counts the limit per event, not per stream', () => {
    expect(parse(Array.from({ length: 50 }, () => 'data: 0123456789\n\n'), 40)).toHaveLength(50);
    expect(parse([': keep-alive\n\n'.repeat(100)], 40)).toEqual([]);
  });

  it('holds an event of single bytes together', () => {
    const data = 'é'.repeat(2_000);
    expect(parse(cut(Buffer.from(`data: ${data}\n\n`), [1]))).toEqual([{ data }]);
  });

  const line = fc.oneof(
    fc.constantFrom('', 'data', 'data:', 'data: ', 'data: é😀', 'data:  x', 'id', 'id: 1', 'id:é', 'event: e', 'event', 'event:', ': c', ':', 'x: y', 'retry: 10', 'retry: x', 'data: a: b'),
    fc.string({ maxLength: 8, unit: fc.constantFrom('d', 'a', 't', ':', ' ', 'é', 'i') }),
  );
  const streams = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 30 });

  it('gives the same events wherever the bytes are cut', () => {
    fc.assert(
      fc.property(streams, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 9 }), (lines, sizes) => {
        const bytes = Buffer.from(lines.flat().join(''));
        expect(parse(cut(bytes, sizes))).toEqual(parse([bytes]));
      }),
      { numRuns: 1_000 },
    );
  });

  it('agrees with eventsource-parser', () => {
    fc.assert(
      fc.property(streams, (lines) => {
        // The trailing bytes end a line that the other parser would wait for after a lone CR.
        const text = `${lines.flat().join('')}\n: end\n`;
        const theirs: TextEvent[] = [];
        const take = ({ id, event, data }: EventSourceMessage): void => {
          theirs.push({ ...(id === undefined ? {} : { id }), ...(event === undefined ? {} : { event }), data });
        };
        createParser({ onEvent: take }).feed(text);
        expect(parse([text])).toEqual(theirs);
      }),
      { numRuns: 1_000 },
    );
  });
});
