import { defineConfig, describeConfig } from '@gatehouse/config';
import { busFields, databaseFields, ephemeralFields, processFields } from '@gatehouse/host';
import { auditConfigFields } from '@gatehouse/service-audit';
import { authConfigFields, authListenFields } from '@gatehouse/service-auth';
import { authUrlField, gatewayConfigFields } from '@gatehouse/service-gateway';
import { policyConfigFields } from '@gatehouse/service-policy';
import { vaultConfigFields } from '@gatehouse/service-vault';
import { allInOneConfig } from '../../apps/gatehouse/dist/settings.js';
import { row, table } from './markdown.mjs';

const SERVICES = {
  gateway: gatewayConfigFields,
  auth: authConfigFields,
  vault: vaultConfigFields,
  policy: policyConfigFields,
  audit: auditConfigFields,
};
/** What only a process of its own is told. */
const APART = { gateway: { authUrl: authUrlField }, auth: authListenFields };
const HOST = { ...processFields, ...busFields, ...databaseFields, ...ephemeralFields };

/** Every environment variable, its default and its meaning, from the fields that read them. */
export function configPage() {
  const distributed = { ...HOST, ...Object.assign({}, ...Object.values(SERVICES), ...Object.values(APART)) };
  return `# Configuration

Everything a process is told when it starts comes from the environment. An unknown \`GATEHOUSE_\` name is an error, and all problems are reported at once. A secret can also be read from a file: set the name with \`_FILE\` to its path; a file that others can read is refused.

## One process with everything (\`npm start\`)

${rows(allInOneConfig)}

## A process per service

Their listeners and directories are as above. What has no substitute between processes must be set here.

${rows(defineConfig(distributed))}`;
}

function rows(schema) {
  const described = describeConfig(schema).map((setting) =>
    row([
      names(setting),
      setting.default === undefined ? (setting.required ? '**required**' : '') : `\`${setting.default}\`${setting.unit === undefined ? '' : ` ${setting.unit}`}`,
      readBy(setting.env),
      setting.describe,
    ]),
  );
  return table(['variable', 'default', 'read by', 'what it is'], [...new Set(described)]);
}

const names = ({ env, fileEnv }) => (fileEnv === undefined ? `\`${env}\`` : `\`${env}\` or \`${fileEnv}\``);

function readBy(env) {
  const reads = (fields = {}) => Object.values(fields).some((field) => field.env === env);
  const services = Object.entries(SERVICES).filter(([name, fields]) => reads(fields) || reads(APART[name]));
  return services.length === 0 ? 'the process' : services.map(([name]) => name).join(', ');
}
