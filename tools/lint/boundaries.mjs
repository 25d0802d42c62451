const sql = ['typeorm', 'pg'];
const redis = ['ioredis'];
const nats = ['nats', '@nats-io/*'];
const otel = ['@opentelemetry/*'];
const oidc = ['openid-client'];
const infra = ['@nestjs/*', 'express', 'fastify', ...sql, ...redis, ...nats, ...otel, ...oidc];
const stores = [...sql, ...redis, ...nats, ...otel];

/** Which infrastructure package a platform lib is the only owner of. */
const OWNS = { persistence: sql, ephemeral: redis, bus: nats, telemetry: otel, config: [], outbound: [] };

const layers = (extra) => [
  { sourceTag: 'layer:kernel', onlyDependOnLibsWithTags: ['layer:kernel', ...extra], bannedExternalImports: infra },
  { sourceTag: 'layer:testing', onlyDependOnLibsWithTags: ['layer:kernel'] },
  { sourceTag: 'layer:demo', onlyDependOnLibsWithTags: ['layer:kernel', ...extra], bannedExternalImports: infra },
  { sourceTag: 'layer:platform', onlyDependOnLibsWithTags: ['layer:kernel', 'layer:platform', ...extra], bannedExternalImports: oidc },
  {
    sourceTag: 'layer:service',
    onlyDependOnLibsWithTags: ['layer:kernel', 'layer:platform', ...extra],
    bannedExternalImports: [...redis, ...nats, ...otel],
  },
  { sourceTag: 'layer:app', onlyDependOnLibsWithTags: ['layer:service', 'layer:platform', 'layer:kernel', 'layer:demo', ...extra] },
  { sourceTag: 'layer:client', onlyDependOnLibsWithTags: ['layer:kernel', ...extra], bannedExternalImports: infra },
  { sourceTag: 'layer:e2e', onlyDependOnLibsWithTags: ['*'] },
];

const platformFences = Object.entries(OWNS).map(([lib, own]) => ({
  sourceTag: `lib:${lib}`,
  onlyDependOnLibsWithTags: ['*'],
  bannedExternalImports: stores.filter((name) => !own.includes(name)),
}));

const scopeFences = ['vault', 'policy', 'audit'].map((scope) => ({
  sourceTag: `scope:${scope}`,
  onlyDependOnLibsWithTags: [`scope:${scope}`, 'scope:shared'],
  bannedExternalImports: oidc,
}));

const fences = [
  ...platformFences,
  ...scopeFences,
  {
    sourceTag: 'scope:gateway',
    onlyDependOnLibsWithTags: ['scope:gateway', 'scope:shared'],
    bannedExternalImports: [...oidc, ...sql],
  },
  { sourceTag: 'scope:auth', onlyDependOnLibsWithTags: ['scope:auth', 'scope:shared'] },
];

const rule = (extra) => ({
  '@nx/enforce-module-boundaries': ['error', { allow: [], depConstraints: [...layers(extra), ...fences] }],
});

/** Who may import whom: the five services never import each other, only apps put them together. */
export const boundaries = rule([]);

/** Tests may also import what stands for the world around Gatehouse. */
export const testBoundaries = rule(['layer:testing', 'layer:demo']);
