import { defineConfig, describeConfig, FIELDS, listenField, required, type Field } from '@gatehouse/config';
import { busFields, databaseFields, ephemeralFields, processFields } from '@gatehouse/host';
import { auditConfigFields } from '@gatehouse/service-audit';
import { authConfigFields, authListenFields } from '@gatehouse/service-auth';
import { authUrlField, gatewayConfigFields } from '@gatehouse/service-gateway';
import { policyConfigFields } from '@gatehouse/service-policy';
import { vaultConfigFields } from '@gatehouse/service-vault';
import { describe, expect, it } from '@jest/globals';
import { readCompose } from './compose-file.mjs';

const withDatabase = { ...processFields, ...busFields, ...databaseFields };
const edge = { listen: listenField('127.0.0.1:8080'), publicUrl: FIELDS.publicUrl, dataDir: FIELDS.dataDir, authUrl: authUrlField };
/** What each main reads. */
const READS: Readonly<Record<string, Record<string, Field>>> = {
  gateway: { ...processFields, ...busFields, ...ephemeralFields, ...edge, ...gatewayConfigFields },
  auth: { ...withDatabase, ...ephemeralFields, ...authConfigFields, ...authListenFields, publicUrl: required(FIELDS.publicUrl) },
  vault: { ...withDatabase, ...vaultConfigFields },
  policy: { ...withDatabase, ...policyConfigFields },
  audit: { ...withDatabase, ...auditConfigFields },
};
const { services } = readCompose();

describe.each(Object.entries(READS))('the environment of %s in compose', (name, fields) => {
  const told: Record<string, string> = services[name].environment;
  const given = Object.entries(told).filter(([variable]) => variable.startsWith('GATEHOUSE_'));

  it('has no name that it does not read', () => {
    const known = defineConfig(fields).names;
    expect(given.map(([variable]) => variable).filter((variable) => !known.includes(variable))).toEqual([]);
  });

  it('has everything that it must be told', () => {
    const missing = describeConfig(defineConfig(fields)).filter((row) => row.required && told[row.env] === undefined && told[row.fileEnv ?? ''] === undefined);
    expect(missing.map(({ env }) => env)).toEqual([]);
  });

  it('has values that fit', () => {
    for (const { env, schema } of Object.values(fields)) {
      const value = told[env];
      if (value !== undefined && value !== '') expect([env, schema.safeParse(value).success]).toEqual([env, true]);
    }
  });

  it('names files in its own secrets only', () => {
    const files = given.filter(([variable]) => variable.endsWith('_FILE')).map(([, path]) => path);
    for (const path of files) expect(path).toMatch(/^\/run\/gatehouse-secrets\/[a-z.]+$/);
  });
});
