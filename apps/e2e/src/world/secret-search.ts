import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { BusTraffic } from './bus-traffic.js';
import { databaseDump } from './database-dump.js';
import type { World } from './world.js';

/** A place where a secret could have been left, and what is there. */
export type Place = readonly [name: string, content: Buffer];

/** Every form in which a secret may stand in bytes: as it is, in JSON, in hex, in base64 at each offset. */
export function shapesOf(secret: string): Readonly<Record<string, string>> {
  const base64 = Object.fromEntries([0, 1, 2].map((shift) => [`base64 at ${shift}`, base64Core(secret, shift)]));
  const urlSafe = Object.fromEntries(Object.entries(base64).map(([name, shape]) => [name.replace('base64', 'base64url'), shape.replaceAll('+', '-').replaceAll('/', '_')]));
  return { raw: secret, 'JSON-escaped': JSON.stringify(secret).slice(1, -1), hex: Buffer.from(secret).toString('hex'), 'URL-encoded': encodeURIComponent(secret), ...base64, ...urlSafe };
}

// A secret inside longer base64 looks different at each of three offsets; the middle of it is the same whatever stands around.
function base64Core(secret: string, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)]).toString('base64');
  return text.slice(4, -4);
}

/** In which places which form of which secret (by its number) stands. */
export function leaksIn(places: readonly Place[], secrets: readonly string[]): string[] {
  const wanted = secrets.flatMap((secret, at) => Object.entries(shapesOf(secret)).map(([name, shape]) => [`secret ${at} ${name}`, shape] as const));
  return places.flatMap(([place, content]) => wanted.flatMap(([name, shape]) => (content.includes(shape) ? [`${name} in ${place}`] : [])));
}

/** Everything that a Gatehouse leaves behind: logs, figures, the database, the bus, and every file of its folders. */
export async function placesOf(world: World, traffic: BusTraffic): Promise<Place[]> {
  const places: Place[] = [];
  for (const each of world.processes) {
    const figures = await fetch(`http://127.0.0.1:${each.metricsPort}/metrics`);
    places.push([`log of ${each.app}`, Buffer.from(each.output)], [`/metrics of ${each.app}`, Buffer.from(await figures.text())]);
  }
  places.push(['database', await databaseDump(world.databaseUrl)], ['bus', traffic.seen()]);
  return [...places, ...world.folders.flatMap(filesUnder).map((file): Place => [file, readFileSync(file)])];
}

/** Every file that is not empty. */
export function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : entry.isFile() && statSync(path).size > 0 ? [path] : [];
  });
}
