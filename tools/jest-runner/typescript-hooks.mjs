import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transform } from '@swc/core';

const CACHE = new URL('../../node_modules/.cache/test-sources/', import.meta.url);
const GLOBALS = new URL('./globals.mjs', import.meta.url).href;
const OPTIONS = {
  sourceMaps: 'inline',
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
  },
  module: { type: 'es6' },
};
const made = mkdir(CACHE, { recursive: true });

/** Finds the TypeScript file behind a `.js` that is written in an import, and our own test globals. */
export async function resolve(specifier, context, next) {
  if (specifier === '@jest/globals') return { url: GLOBALS, format: 'module', shortCircuit: true };
  if (specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.includes('.ts')) {
    const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    if (existsSync(source)) return { url: source.href, format: 'module', shortCircuit: true };
  }
  return next(specifier, context);
}

/** Transforms TypeScript; what a text becomes is kept beside node_modules. */
export async function load(url, context, next) {
  const { protocol, pathname } = new URL(url);
  if (protocol !== 'file:' || !pathname.endsWith('.ts')) return next(url, context);
  return { format: 'module', source: await transformed(fileURLToPath(new URL(pathname, 'file:'))), shortCircuit: true };
}

async function transformed(path) {
  const text = await readFile(path, 'utf8');
  const key = createHash('sha256').update(path).update('\0').update(text).digest('hex');
  const kept = new URL(`${key}.js`, CACHE);
  if (existsSync(kept)) return readFile(kept, 'utf8');
  const { code } = await transform(text, { ...OPTIONS, filename: path, sourceFileName: pathToFileURL(path).href });
  await made;
  // Two workers may write at once: whole files only.
  const part = new URL(`${key}.${process.pid}.part`, CACHE);
  await writeFile(part, code);
  await rename(part, kept);
  return code;
}
