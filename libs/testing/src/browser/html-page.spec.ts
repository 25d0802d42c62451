import { describe, expect, it } from '@jest/globals';
import { buttonOf, formData } from './form-data.js';
import { formsOf, linksOf, type Form } from './html-page.js';
import { visibleText } from './html-text.js';

const HTML = `<!doctype html><html><head><title>T</title><style>p{}</style></head><body>
<!-- <form action="/no"></form> -->
<script>document.write('<form action="/no2"></form>')</script>
<h1>Sign&nbsp;in &amp; go</h1>
<form method='post' action="/login?a=1&amp;b=2">
  <input type=hidden name=csrf value="a&quot;&#x3e;b">
  <label>Name <input name="login" required></label>
  <input type="checkbox" name="scope" value="read" checked><input type="checkbox" name="scope" value="write">
  <input type="checkbox" name="remember"><input name=off value=1 disabled>
  <select name="team"><option value="1">One<option value="2" selected>Two</select>
  <textarea name="why"> because </textarea>
  <button name="act" value="yes"><b>Allow</b></button><button name="act" value="no" formaction="/deny">Deny</button>
  <button type="button" name="x">Help</button><input type="submit" value="Go">
</form>
<a href="../x">Back <b>home</b></a><a name="no">anchor</a></body></html>`;

const BASE = 'https://gate.example/a/b';
const form = (): Form => formsOf(HTML, BASE)[0] as Form;

describe('the page parser', () => {
  it('reads the forms that are really there', () => {
    const forms = formsOf(HTML, BASE);
    expect(forms).toHaveLength(1);
    expect(forms[0]).toMatchObject({ action: 'https://gate.example/login?a=1&b=2', method: 'POST' });
    expect(forms[0]?.fields.map(({ name, value }) => [name, value])).toEqual([
      ['csrf', 'a">b'],
      ['login', ''],
      ['scope', 'read'],
      ['scope', 'write'],
      ['remember', 'on'],
      ['off', '1'],
      ['team', '2'],
      ['why', 'because'],
    ]);
    expect(forms[0]?.buttons.map(({ text, action }) => [text, action])).toEqual([
      ['Allow', undefined],
      ['Deny', 'https://gate.example/deny'],
      ['Go', undefined],
    ]);
  });

  it('reads links and what a person sees', () => {
    expect(linksOf(HTML, BASE)).toEqual([{ href: 'https://gate.example/x', text: 'Back home' }]);
    expect(visibleText(HTML)).toMatch(/^Sign in & go Name One Two because Allow Deny Help Back home anchor$/);
  });

  it('sends what a browser would: ticked boxes, the pressed button, no disabled field', () => {
    expect(formData(form(), { login: 'ada' }, buttonOf(form(), 'Allow')).toString()).toBe(
      'csrf=a%22%3Eb&login=ada&scope=read&team=2&why=because&act=yes',
    );
    const ticked = formData(form(), { scope: ['write'], remember: true }, buttonOf(form(), 'no'));
    expect([ticked.getAll('scope'), ticked.get('remember'), ticked.get('act')]).toEqual([['write'], 'on', 'no']);
  });

  it('cannot fill in a field or press a button that is not there', () => {
    expect(() => formData(form(), { pass: 'x' }, undefined)).toThrow('no field pass');
    expect(() => buttonOf(form(), 'Reject')).toThrow('no button "Reject"');
  });
});
