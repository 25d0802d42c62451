import type { Form, FormButton, FormField } from './html-page.js';

/** What a person enters: text by field name; true or false for one checkbox; values to tick for several. */
export type FormValues = Readonly<Record<string, string | boolean | readonly string[]>>;

/**
 * What a browser sends for a form filled in this way. A value for a field that the form does not
 * have throws: a person cannot fill in what is not there.
 */
export function formData(form: Form, values: FormValues, button: FormButton | undefined): URLSearchParams {
  const names = form.fields.map(({ name }) => name);
  const unknown = Object.keys(values).filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`no field ${unknown.join(', ')} in the form; it has ${names.join(', ') || 'none'}`);
  const data = new URLSearchParams();
  for (const field of form.fields.filter(({ disabled }) => !disabled)) {
    const value = entryOf(field, values[field.name]);
    if (value !== undefined) data.append(field.name, value);
  }
  if (button?.name !== undefined) data.append(button.name, button.value);
  return data;
}

/** The button with this text, value or name; the first one when none is asked for. */
export function buttonOf(form: Form, wanted: string | undefined): FormButton | undefined {
  if (wanted === undefined) return form.buttons[0];
  const found =
    form.buttons.find(({ text }) => text === wanted) ??
    form.buttons.find(({ value }) => value === wanted) ??
    form.buttons.find(({ name }) => name === wanted);
  if (found === undefined) throw new Error(`no button "${wanted}" in the form; it has ${form.buttons.map(({ text }) => `"${text}"`).join(', ') || 'none'}`);
  return found;
}

function entryOf(field: FormField, given: FormValues[string] | undefined): string | undefined {
  const isChoice = field.type === 'checkbox' || field.type === 'radio';
  if (!isChoice) return given === undefined ? field.value : String(given);
  return isTicked(field, given) ? field.value : undefined;
}

function isTicked(field: FormField, given: FormValues[string] | undefined): boolean {
  if (given === undefined) return field.checked;
  if (typeof given === 'boolean') return given;
  return typeof given === 'string' ? given === field.value : given.includes(field.value);
}
