import { createHash } from 'node:crypto';

/** The only style sheet; it stands in the page, allowed by its hash. Text has a contrast of 4.5:1 or more, borders of controls 3:1; controls are 44 px high. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --faint: #5b6570; --line: #d5dae0; --border: #767f89; --accent: #0b5cad; --warn: #8a4b00; --warn-paper: #fff4e0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebee; --paper: #14181c; --faint: #9aa5b1; --line: #343c45; --border: #7d8894; --accent: #7ab8ff; --warn: #ffcf8a; --warn-paper: #33260f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 36rem; margin: 0 auto; padding: 3rem 1.25rem; }
.brand { color: var(--faint); font-weight: 600; letter-spacing: .02em; margin: 0; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .25rem 0 1.25rem; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .5rem 1.25rem; border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 1.25rem 0; }
dt { color: var(--faint); }
dd { margin: 0; }
dd ul { margin: 0; padding-inline-start: 1.1rem; }
dd li + li { margin-top: .35rem; }
code { font-family: ui-monospace, monospace; font-size: .9em; }
.warning { border-inline-start: .25rem solid var(--warn); background: var(--warn-paper); padding: .75rem 1rem; border-radius: .25rem; }
.choices { list-style: none; padding: 0; display: grid; gap: .75rem; }
.choices button { width: 100%; text-align: start; }
.steps li { margin: .5rem 0; }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.5rem; }
button, .button { font: inherit; min-height: 2.75rem; min-width: 2.75rem; padding: .55rem 1.1rem; border-radius: .5rem; border: 1px solid var(--border); background: transparent; color: var(--ink); cursor: pointer; text-decoration: none; text-align: center; display: inline-block; }
button:hover, .button:hover { border-color: var(--ink); }
button.primary, .button.primary { background: var(--accent); border-color: var(--accent); color: var(--paper); font-weight: 600; }
button:focus-visible, a:focus-visible, input:focus-visible { outline: .2rem solid var(--accent); outline-offset: .15rem; }
a { color: var(--accent); }
label { font-weight: 600; }
input { font: inherit; width: 100%; min-height: 2.75rem; padding: .55rem .75rem; margin-top: .35rem; border-radius: .5rem; border: 1px solid var(--border); background: transparent; color: var(--ink); }
.faint { color: var(--faint); font-size: .9rem; }
@media (max-width: 30rem) {
  main { padding: 1.5rem 1rem; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; }
  dd + dt { margin-top: .75rem; }
  .actions button, .actions .button { flex: 1 1 100%; }
}
`;

/** What the Content-Security-Policy allows it by. */
export const STYLE_HASH = `sha256-${createHash('sha256').update(STYLE).digest('base64')}`;
