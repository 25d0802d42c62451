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
