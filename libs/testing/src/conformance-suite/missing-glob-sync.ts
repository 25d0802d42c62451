import * as fs from 'node:fs';

const SHIM = "export * from 'node:fs'; export const globSync = () => { throw new Error('globSync is not in this Node.js'); };";

const HOOK = `export async function resolve(specifier, context, next) {
  const isSuite = context.parentURL?.includes('/@modelcontextprotocol/conformance/');
  return isSuite && specifier === 'fs' ? { url: ${JSON.stringify(asModule(SHIM))}, shortCircuit: true } : next(specifier, context);
}`;

const REGISTER = `import { register } from 'node:module'; register(${JSON.stringify(asModule(HOOK))});`;

/**
 * Arguments for `node` that let the suite load before Node.js 22: it imports `globSync` from `fs`
 * for a command that is not used here. Only the suite's own import is answered differently.
 */
export function missingGlobSyncHook(): string[] {
  return 'globSync' in fs ? [] : ['--import', asModule(REGISTER)];
}

function asModule(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}
