import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { natsServerConfig } from '@gatehouse/bus';
import { describe, expect, it } from '@jest/globals';
import { DCLinter } from 'dclint';
import { COMPOSE_FILE, readCompose, variables } from './compose-file.mjs';

const { services, networks, volumes } = readCompose();
const FOLDER = dirname(COMPOSE_FILE);
const all = Object.entries<any>(services);
const lasting = all.filter(([name]) => name !== 'init-secrets');
const ours = all.filter(([, service]) => service.image.startsWith('gatehouse:'));
const mountsOf = (service: any): [source: string, target: string, mode?: string][] => service.volumes.map((mount: string) => mount.split(':'));

// Order is ours; ports with variables in them, and lists in brackets, are beyond two of the rules.
const OFF = ['no-build-and-image', 'no-quotes-in-volumes', 'no-unbound-port-interfaces', 'require-quotes-in-ports', 'service-dependencies-alphabetical-order', 'service-keys-order', 'service-ports-alphabetical-order', 'services-alphabetical-order', 'top-level-properties-order'];

/** What the schema of compose (Apache-2.0, part of dclint) and the linter's rules object to. */
function problemsOf(file: string): string[] {
  const rules = Object.fromEntries(OFF.map((rule) => [rule, 0 as const]));
  const linter = new DCLinter({ rules, quiet: true, debug: false, exclude: [] });
  const results: { messages: { rule: string; line: number; message: string }[] }[] = linter.lintFiles([file], false);
  return results.flatMap(({ messages }) => messages.map(({ rule, line, message }) => `${rule} ${line} ${message}`));
}

describe('deploy/compose/compose.yaml', () => {
  it('fits the schema of compose', () => {
    expect(problemsOf(COMPOSE_FILE)).toEqual([]);
  });

  it('would not with a word misspelt, and the linter says where', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-compose-'));
    const file = join(folder, 'compose.yaml');
    writeFileSync(file, readFileSync(COMPOSE_FILE, 'utf8').replace('    healthcheck:', '    healthchek:'));
    expect(problemsOf(file).join()).toContain('instancePath="/services/init-secrets"');
    rmSync(folder, { recursive: true });
  });

  it('needs no variable to be set', () => {
    for (const text of variables()) expect(text).toMatch(/^\$\{GATEHOUSE_[A-Z_]+:-/);
  });
});

describe('every container', () => {
  it.each(all)('%s runs without root, rights and a writable root', (_name, service) => {
    expect(service.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(service).not.toHaveProperty('privileged');
    expect(service).not.toHaveProperty('cap_add');
    expect(service).not.toHaveProperty('devices');
  });

  it.each(all)('%s has bounds for memory, processes and processors, and an exact image', (_name, service) => {
    expect(service).toMatchObject({ mem_limit: expect.any(String), pids_limit: expect.any(Number), cpus: expect.any(Number) });
    expect(service.image).toMatch(/:\d+\.\d+\.\d+[a-z0-9.-]*$|:\d+\.\d+-bookworm$/);
    expect(service.logging.options['max-size']).toBeDefined();
  });

  it.each(lasting)('%s comes back by itself, says how it is, and has time to stop', (_name, service) => {
    expect(service).toMatchObject({ restart: 'unless-stopped', init: true, stop_grace_period: '45s' });
    expect(service.healthcheck).toMatchObject({ test: expect.any(Array), interval: expect.any(String), start_period: expect.any(String) });
    expect(service.depends_on['init-secrets']).toEqual({ condition: 'service_completed_successfully' });
  });

  it.each(all)('%s is told no secret in its environment', (_name, service) => {
    const told = Object.entries<string>(service.environment ?? {});
    for (const [name, value] of told) {
      if (/PASSWORD|SECRET|TOKEN|KEY|KEK|(NATS|REDIS|DATABASE)_URL/.test(name)) expect(name).toMatch(/_FILE$|_DIR$/);
      expect(String(value)).not.toMatch(/:\/\/[^/]*@/);
    }
  });

  it.each(lasting)('%s cannot write to its secrets, and no other sees them', (name, service) => {
    const secrets = mountsOf(service).filter(([source]) => source.startsWith('secrets-'));
    expect(secrets).toEqual([[`secrets-${name}`, expect.any(String), 'ro']]);
  });

  it.each(lasting)('%s waits for nothing that waits for it', (name) => {
    const after = (service: string, seen: string[]): string[] => {
      expect(seen).not.toContain(service);
      return Object.keys(services[service].depends_on ?? {}).flatMap((next) => [next, ...after(next, [...seen, service])]);
    };
    expect(after(name, [])).toContain('init-secrets');
  });
});

describe('what can be reached', () => {
  it('is the edge alone from outside, on loopback unless told', () => {
    expect(all.filter(([, service]) => service.ports !== undefined).map(([name]) => name)).toEqual(['gateway']);
    expect(services.gateway.ports).toEqual(['127.0.0.1:8080:8080']);
  });

  it('has a way out from the edge and from auth alone', () => {
    const internal = Object.keys(networks).filter((name) => networks[name]?.internal === true);
    expect(all.filter(([, { networks: on = [] }]) => on.some((name: string) => !internal.includes(name))).map(([name]) => name)).toEqual(['auth', 'gateway']);
    expect(services['init-secrets'].network_mode).toBe('none');
    for (const [name, service] of lasting) expect([name, service.network_mode]).toEqual([name, undefined]);
  });

  it.each([
    ['database', ['postgres', 'vault', 'auth', 'policy', 'audit']],
    ['ephemeral', ['redis', 'auth', 'gateway']],
    ['bus', ['nats', 'vault', 'auth', 'policy', 'audit', 'gateway']],
  ])('of %s is what needs it', (network, members) => {
    expect(lasting.filter(([, service]) => service.networks.includes(network)).map(([name]) => name).sort()).toEqual([...members].sort());
  });
});

describe('what is kept', () => {
  it('is in named volumes, all of them declared and mounted', () => {
    const mounted = all.flatMap(([, service]) => mountsOf(service)).filter(([source]) => !source.startsWith('.'));
    expect(new Set(mounted.map(([source]) => source))).toEqual(new Set(Object.keys(volumes)));
    for (const [source] of mounted) expect(source).toMatch(/^[a-z-]+$/);
  });

  it('besides is files of this folder, which nothing writes to', () => {
    const files = all.flatMap(([, service]) => mountsOf(service)).filter(([source]) => source.startsWith('.'));
    for (const [source, , mode] of files) {
      expect(mode).toBe('ro');
      expect(readdirSync(dirname(join(FOLDER, source)))).toContain(source.split('/').at(-1));
    }
  });

  it('by NATS is where its configuration finds the passwords, and it is the generated one', () => {
    const text = readFileSync(join(FOLDER, 'nats/nats.conf'), 'utf8');
    expect(text).toBe(`${natsServerConfig({ passwords: '../gatehouse-passwords/passwords.conf' }).trim()}\n`);
    expect(services.nats.volumes).toContain('secrets-nats:/etc/gatehouse-passwords:ro');
  });

  it('by PostgreSQL is one role and one schema for each service with a database', () => {
    const text = readFileSync(join(FOLDER, 'postgres/10-gatehouse.sql'), 'utf8');
    const withDatabase = ours.filter(([, { environment }]) => 'GATEHOUSE_DATABASE_URL_FILE' in environment).map(([name]) => name);
    expect([...text.matchAll(/CREATE SCHEMA (\w+) AUTHORIZATION \1;/g)].map(([, name]) => name).sort()).toEqual([...withDatabase].sort());
    expect([...text.matchAll(/CREATE ROLE (\w+) LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE/g)].map(([, name]) => name).sort()).toEqual([...withDatabase].sort());
  });
});
