import { describe, expect, it } from '@jest/globals';
import { refuseRepeatedHeaders } from './request-head.js';

describe('refuseRepeatedHeaders', () => {
  it.each(['Authorization', 'Host', 'Origin', 'Content-Type', 'Mcp-Session-Id', 'MCP-Protocol-Version', 'Last-Event-ID', 'DPoP'])(
    'refuses %s sent twice, however it is spelt (E-21)',
    (name) => {
      expect(() => refuseRepeatedHeaders([name, 'a', 'Accept', 'x', name.toUpperCase(), 'b'])).toThrow('not valid');
      expect(() => refuseRepeatedHeaders([name, 'a', name.toLowerCase(), 'a'])).toThrow('not valid');
    },
  );

  it('lets headers that decide nothing repeat', () => {
    expect(() => refuseRepeatedHeaders(['Accept', 'a', 'Accept', 'b', 'X-A', '1', 'X-A', '2', 'Host', 'h'])).not.toThrow();
  });

  it('is not confused by names inside other names or by values', () => {
    expect(() => refuseRepeatedHeaders(['Host', 'origin', 'X-Host', 'host', 'Origin', 'host'])).not.toThrow();
  });
});
