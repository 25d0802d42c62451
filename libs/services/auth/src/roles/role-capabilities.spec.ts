import { describe, expect, it } from '@jest/globals';
import { capabilitiesOfRoles } from './role-capabilities.js';

const none = new Map<string, readonly string[]>();

describe('the capabilities of roles', () => {
  it('are none for a member and for a role this release does not know', () => {
    expect(capabilitiesOfRoles(['member', 'constructor', 'root'], none)).toEqual([]);
  });

  it('are all for an administrator, each once', () => {
    const all = capabilitiesOfRoles(['administrator', 'operator', 'administrator'], none);
    expect(all).toContain('people.manage');
    expect(new Set(all).size).toBe(all.length);
  });

  it('add up over custom roles, in the order of the contract, without what a newer release knows', () => {
    const custom = new Map([['auditor', ['audit.read', 'moon.land']], ['reader', ['servers.read']]]);
    expect(capabilitiesOfRoles(['auditor', 'reader'], custom)).toEqual(['servers.read', 'audit.read']);
  });

  it('of a built-in role never come from a custom one of that name', () => {
    expect(capabilitiesOfRoles(['member'], new Map([['member', ['audit.read']]]))).toEqual([]);
  });
});
