import { afterEach, describe, expect, it } from '@jest/globals';
import { catchLibraryOutput, libraryOutputTo } from './library-output.js';
import { createLogger } from './logger.js';

const own = { error: console.error, warn: console.warn, info: console.info, log: console.log };
afterEach(() => void Object.assign(console, own));

describe('what libraries print', () => {
  it('becomes log lines, that of before there was a logger too, without colours', () => {
    const lines: Record<string, unknown>[] = [];
    catchLibraryOutput();
    console.warn('\u001b[31mearly\u001b[0m', 1);
    libraryOutputTo(createLogger({ service: 'auth', level: 'info', destination: { write: (line: string) => void lines.push(JSON.parse(line)) } }));
    console.error('late');
    console.info('chatter');
    expect(lines.map(({ level, msg, library }) => [level, msg, library])).toEqual([
      [expect.anything(), 'early 1', true],
      [expect.anything(), 'late', true],
    ]);
  });
});
