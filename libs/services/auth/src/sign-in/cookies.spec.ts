import { describe, expect, it } from '@jest/globals';
import { Cookies } from './cookies.js';

describe('cookies of the sign-in', () => {
  it('are bound to this host on https, and carry a plain name on loopback http', () => {
    expect(new Cookies(true).set({ name: 'gh_login', value: 'x', maxAge: 9 })).toBe('__Host-gh_login=x; Path=/; Max-Age=9; HttpOnly; SameSite=Lax; Secure');
    expect(new Cookies(false).clear('gh_login')).toBe('gh_login=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax');
  });

  it('are read by their own name alone, and not at all when the name stands twice', () => {
    const cookies = new Cookies(true);
    expect(cookies.read('a=b; __Host-gh_login=x=y; c', 'gh_login')).toBe('x=y');
    expect(cookies.read('gh_login=planted', 'gh_login')).toBeUndefined();
    expect(cookies.read('__Host-gh_login=x; __Host-gh_login=y', 'gh_login')).toBeUndefined();
    expect(cookies.read(undefined, 'gh_login')).toBeUndefined();
    expect(cookies.namesBeginning('__Host-gh_tx_a=1; gh_tx_b=2; __Host-other=3', 'gh_tx_')).toEqual(['gh_tx_a']);
  });
});
