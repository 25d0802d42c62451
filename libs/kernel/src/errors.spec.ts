import { describe, expect, it } from '@jest/globals';
import { ERRORS } from './error-table.js';
import { asRefusalOrFault, Fault, isErrorCode, Refusal } from './errors.js';

describe('Refusal', () => {
  it('carries its code, the words of the table and its details', () => {
    const refusal = new Refusal('conflict', { name: 'tools' });
    expect(refusal).toMatchObject({ name: 'Refusal', code: 'conflict', details: { name: 'tools' }, message: ERRORS.conflict.sentence });
    expect(new Refusal('conflict').details).toEqual({});
  });
});

describe('Fault', () => {
  it('has an id of its own and keeps the cause', () => {
    const cause = new Error('disk');
    const [one, two] = [new Fault('write failed', { cause }), new Fault('write failed')];
    expect([one.code, one.cause, one.id === two.id]).toEqual(['internal', cause, false]);
    expect(one.id).toMatch(/^flt_[0-9a-f-]{36}$/);
  });
});

describe('asRefusalOrFault', () => {
  it('leaves both as they are and makes a fault of everything else', () => {
    const [refusal, fault] = [new Refusal('draining'), new Fault('x')];
    expect([asRefusalOrFault(refusal), asRefusalOrFault(fault)]).toEqual([refusal, fault]);
    for (const thrown of [new TypeError('x'), 'text', undefined, null, { code: 'conflict' }]) {
      const made = asRefusalOrFault(thrown);
      expect([made instanceof Fault, made.cause]).toEqual([true, thrown]);
    }
  });
});

describe('isErrorCode', () => {
  it('knows the codes of the table, and nothing an object has by birth', () => {
    expect(Object.keys(ERRORS).every(isErrorCode)).toBe(true);
    for (const other of ['', 'Conflict', 'toString', 'constructor', '__proto__', 7, null, undefined]) expect(isErrorCode(other)).toBe(false);
  });
});
