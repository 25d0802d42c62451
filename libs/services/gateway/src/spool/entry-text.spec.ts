import { auditContracts } from '@gatehouse/contracts';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { intentText, originTail, originText, outcomeText, placed, singleText } from './entry-text.js';
import { sampleFacts, sampleOutcome } from './sample-entries.js';

const head = { id: 'evt_1', callId: 'cal_1', at: 1_795_270_838_187, monotonic: 12.345 };
const whole = (text: string): unknown => JSON.parse(placed(text, originTail(originText('edg_1', 'b'), 7)));
const origin = { edge: 'edg_1', boot: 'b', seq: 7 };

describe('the text of an entry', () => {
  it('is what JSON.stringify would make of it, member for member', () => {
    const [facts, outcome] = [sampleFacts, sampleOutcome];
    expect(intentText({ ...head, facts })).toBe(JSON.stringify({ v: 1, phase: 'intent', ...head, facts }));
    expect(outcomeText({ ...head, outcome })).toBe(JSON.stringify({ v: 1, phase: 'outcome', ...head, outcome }));
    expect(singleText({ ...head, facts, outcome })).toBe(JSON.stringify({ v: 1, phase: 'single', ...head, facts, outcome }));
  });

  it('fits the contract whatever clients and servers put into it', () => {
    const text = fc.option(fc.string({ unit: 'binary', maxLength: 100 }));
    fc.assert(
      fc.property(text, text, fc.array(fc.string({ unit: 'binary' }), { maxLength: 105 }), (target, userAgent, argumentKeys) => {
        const facts = { ...sampleFacts, target, argumentKeys, client: { name: target, version: null, userAgent } };
        const entry = auditContracts.spoolEntry.parse(whole(intentText({ ...head, facts })));
        expect(entry).toEqual({ v: 1, phase: 'intent', ...head, facts: { ...facts, argumentKeys: argumentKeys.slice(0, 100) }, origin });
      }),
    );
  });

  it('spells any outcome as JSON.stringify would', () => {
    const ms = fc.oneof(fc.integer({ min: 0, max: 10 ** 9 }).map((micros) => micros / 1_000), fc.double({ min: 0, max: 1e21, noNaN: true }));
    const text = fc.option(fc.string({ unit: 'binary', maxLength: 60 }));
    const steps = fc.record({ receive: ms, authenticate: ms, resolve: ms, authorize: ms, record: ms, credential: ms, forward: ms, respond: ms, total: ms }, { requiredKeys: [] });
    fc.assert(
      fc.property(steps, text, fc.option(fc.string(), { nil: undefined }), fc.option(fc.nat()), ms, (timings, said, reason, status, monotonic) => {
        const { httpStatus: _httpStatus, status: ended, code: _code, ...rest } = sampleOutcome;
        const outcome = { status: ended, code: said, reason, httpStatus: status, ...rest, upstreamStatus: status, steps: timings, faultId: said };
        const entry = { ...head, monotonic, outcome };
        expect(JSON.parse(outcomeText(entry))).toEqual(JSON.parse(JSON.stringify({ v: 1, phase: 'outcome', ...entry })));
      }),
    );
    const { faultId, ...first } = sampleOutcome;
    const debugged = { ...first, hops: { connection: 'new' as const, bytesUp: 1, bytesDown: 2, dns: 0.5, end: 7 }, faultId };
    expect(outcomeText({ ...head, outcome: debugged })).toBe(JSON.stringify({ v: 1, phase: 'outcome', ...head, outcome: debugged }));
    const outcome = { ...sampleOutcome, steps: { receive: 0.001, authenticate: 0, resolve: 0.1, authorize: 0.12, record: 1, credential: 999.999, forward: 1000.01, respond: 1234567.5, total: 0.0004 } };
    expect(outcomeText({ ...head, outcome })).toBe(JSON.stringify({ v: 1, phase: 'outcome', ...head, outcome }));
  });

  it('spells a frozen part once and one that may change each time', () => {
    const facts = sampleFacts;
    const changing = { ...facts.caller };
    intentText({ ...head, facts: { ...facts, caller: changing } });
    changing.name = 'Somebody else';
    expect(intentText({ ...head, facts: { ...facts, caller: changing } })).toContain('Somebody else');
    const frozen = Object.freeze({ ...facts.caller, name: 'Ada' });
    for (let time = 0; time < 2; time++) expect(intentText({ ...head, facts: { ...facts, caller: frozen } })).toContain('"name":"Ada"');
  });
});
