import { describe, expect, it } from '@jest/globals';
import { html, pageText } from './page.js';

describe('a page', () => {
  it('escapes every value, wherever it stands', () => {
    const evil = `"><script>alert(1)</script>'&`;
    const text = pageText(evil, html`<p title="${evil}">${evil}</p>${[html`<b>${evil}</b>`]}`);
    expect(text).not.toContain('<script');
    expect(text.split('&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39;&amp;')).toHaveLength(6);
  });

  it('takes what is HTML already as it is, and nothing for what is not there', () => {
    expect(html`${html`<b>a</b>`}${undefined}${3}`.text).toBe('<b>a</b>3');
  });
});
