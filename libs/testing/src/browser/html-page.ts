import { attributesOf, visibleText, withoutHidden } from './html-text.js';

/** One control of a form that holds a value. */
export interface FormField {
  name: string;
  /** `text`, `hidden`, `checkbox`, `radio`, `select`, `textarea`… */
  type: string;
  value: string;
  /** For checkboxes and radio buttons; true for all else. */
  checked: boolean;
  disabled: boolean;
}

/** One control that sends its form. */
export interface FormButton {
  name: string | undefined;
  value: string;
  /** What is written on it. */
  text: string;
  /** Where this button sends the form instead (`formaction`). */
  action: string | undefined;
}

/** One form of a page. */
export interface Form {
  /** Absolute. */
  action: string;
  method: 'GET' | 'POST';
  fields: FormField[];
  buttons: FormButton[];
}

/** One link of a page. */
export interface Link {
  /** Absolute. */
  href: string;
  text: string;
}

/** Every form of a page in order; `base` is the page's URL. */
export function formsOf(html: string, base: string): Form[] {
  return [...withoutHidden(html).matchAll(/(<form\b(?:[^>"']|"[^"]*"|'[^']*')*>)([\s\S]*?)<\/form\s*>/gi)].map((match) => {
    const attributes = attributesOf(match[1] ?? '');
    const inside = match[2] ?? '';
    return {
      action: new URL(attributes.get('action') || base, base).href,
      method: attributes.get('method')?.toUpperCase() === 'POST' ? 'POST' : 'GET',
      fields: fieldsOf(inside),
      buttons: buttonsOf(inside, base),
    };
  });
}

/** Every link of a page in order; what has no URL is left out. */
export function linksOf(html: string, base: string): Link[] {
  return [...withoutHidden(html).matchAll(/(<a\b(?:[^>"']|"[^"]*"|'[^']*')*>)([\s\S]*?)<\/a\s*>/gi)].flatMap((match) => {
    const href = attributesOf(match[1] ?? '').get('href');
    return href === undefined || !URL.canParse(href, base) ? [] : [{ href: new URL(href, base).href, text: visibleText(match[2] ?? '') }];
  });
}

const CONTROL = /(<input\b(?:[^>"']|"[^"]*"|'[^']*')*>)|(<(select|textarea|button)\b(?:[^>"']|"[^"]*"|'[^']*')*>)([\s\S]*?)<\/\3\s*>/gi;
const BUTTON_TYPES = ['submit', 'image', 'button', 'reset'];

interface Control {
  kind: string;
  attributes: Map<string, string>;
  inside: string;
}

function controlsOf(html: string): Control[] {
  return [...html.matchAll(CONTROL)].map((match) => ({
    kind: match[3]?.toLowerCase() ?? 'input',
    attributes: attributesOf(match[1] ?? match[2] ?? ''),
    inside: match[4] ?? '',
  }));
}

function fieldsOf(html: string): FormField[] {
  return controlsOf(html).flatMap((control) => {
    const { kind, attributes } = control;
    const name = attributes.get('name');
    const type = kind === 'input' ? (attributes.get('type') ?? 'text').toLowerCase() : kind;
    if (name === undefined || name === '' || kind === 'button' || BUTTON_TYPES.includes(type)) return [];
    const isChoice = type === 'checkbox' || type === 'radio';
    return [{ name, type, value: valueOf(control, isChoice), checked: !isChoice || attributes.has('checked'), disabled: attributes.has('disabled') }];
  });
}

function valueOf({ kind, attributes, inside }: Control, isChoice: boolean): string {
  if (kind === 'select') return selectedOf(inside);
  if (kind === 'textarea') return visibleText(inside);
  return attributes.get('value') ?? (isChoice ? 'on' : '');
}

function selectedOf(options: string): string {
  const all = [...options.matchAll(/(<option\b[^>]*>)([^<]*)/gi)].map((match) => ({ attributes: attributesOf(match[1] ?? ''), text: match[2] ?? '' }));
  const chosen = all.find(({ attributes }) => attributes.has('selected')) ?? all[0];
  return chosen === undefined ? '' : (chosen.attributes.get('value') ?? visibleText(chosen.text));
}

function buttonsOf(html: string, base: string): FormButton[] {
  return controlsOf(html).flatMap(({ kind, attributes, inside }) => {
    const type = (attributes.get('type') ?? (kind === 'button' ? 'submit' : 'text')).toLowerCase();
    if ((type !== 'submit' && type !== 'image') || attributes.has('disabled')) return [];
    const action = attributes.get('formaction');
    const value = attributes.get('value') ?? '';
    const text = kind === 'button' ? visibleText(inside) : value;
    return [{ name: attributes.get('name'), value, text, action: action === undefined ? undefined : new URL(action, base).href }];
  });
}
