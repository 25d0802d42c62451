import * as contracts from '@gatehouse/contracts';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { row, table } from './markdown.mjs';

const SOURCES = 'libs/contracts/src';
const DECLARATION = /\/\*\*((?:[^*]|\*(?!\/))*)\*\/\s*export const (\w+)/g;

/** Every request and event between the services, from the contracts. */
export async function contractsPage(root) {
  const sentences = await docComments(root);
  const sentenceOf = (contract) => sentences.get(nameOf(contract)) ?? '';
  const owners = [...new Set([...contracts.REQUESTS, ...contracts.EVENTS].map(({ owner }) => owner))].sort();
  const sections = owners.map((owner) => {
    const requests = contracts.REQUESTS.filter((contract) => contract.owner === owner).map((contract) => requestText(contract, sentenceOf(contract)));
    const events = contracts.EVENTS.filter((contract) => contract.owner === owner).map((contract) => eventText(contract, sentenceOf(contract)));
    return [`## ${owner}`, ...requests, ...events].join('\n\n');
  });
  return `# Contracts between the services

Requests go over \`rpc.v1.<owner>.<noun>.<verb>\` and are answered or refused in time; events are kept under \`evt.v1.<owner>.<noun>.<past>\`. Every request can also be refused with \`service_unavailable\`, \`service_timeout\` and \`internal\`.

${sections.join('\n\n')}`;
}

function requestText(contract, sentence) {
  const errors = contract.errors.length === 0 ? 'none of its own' : contract.errors.map((code) => `\`${code}\``).join(', ');
  return `### \`${contract.subject}\`

${sentence}

Asked by ${contract.callers.join(', ')} · at most ${contract.timeoutMs} ms · errors: ${errors}

${fields('request', contract.request, 'input')}

${fields('reply', contract.reply, 'output')}`;
}

function eventText(contract, sentence) {
  return `### \`${contract.subject}\`

${sentence}

Heard by ${contract.consumers.join(', ')}

${fields('payload', contract.payload, 'output')}`;
}

function fields(title, schema, io) {
  const json = z.toJSONSchema(schema, { unrepresentable: 'any', io });
  const rows = fieldRows(json);
  return rows.length === 0 ? `${title}: no fields` : table([title, 'type', 'required'], rows);
}

function fieldRows(json, prefix = '') {
  if (json.properties === undefined) return prefix === '' ? [row(['(whole)', typeText(json), 'yes'])].filter(() => json.type !== 'object') : [];
  return Object.entries(json.properties).flatMap(([name, field]) => [
    row([`\`${prefix}${name}\``, typeText(field), json.required?.includes(name) === true ? 'yes' : 'no']),
    ...fieldRows(field, `${prefix}${name}.`),
  ]);
}

function typeText(json) {
  const choices = json.anyOf ?? json.oneOf;
  if (choices !== undefined) return [...new Set(choices.map(typeText))].join(' or ');
  if (json.enum !== undefined) return json.enum.map((value) => `\`${value}\``).join(', ');
  if (json.const !== undefined) return `\`${JSON.stringify(json.const)}\``;
  if (json.type === 'array') return json.items === undefined || json.items === false ? 'list' : `list of ${typeText(json.items)}`;
  if (json.$ref !== undefined || json.type === undefined) return 'any JSON';
  return [json.type].flat().join(' or ');
}

function nameOf(contract) {
  const modules = Object.values(contracts).filter((value) => Object.prototype.toString.call(value) === '[object Module]');
  return modules.flatMap((module) => Object.entries(module)).find(([, value]) => value === contract)?.[0];
}

/** What is said above each declaration: types are gone at run time, and so are comments. */
async function docComments(root) {
  const files = (await readdir(join(root, SOURCES))).filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'));
  const texts = await Promise.all(files.map((name) => readFile(join(root, SOURCES, name), 'utf8')));
  return new Map(texts.flatMap((text) => [...text.matchAll(DECLARATION)].map(([, comment, name]) => [name, comment.replace(/\s*\n\s*\*\s?/g, ' ').trim()])));
}
