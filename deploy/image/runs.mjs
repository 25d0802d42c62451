/** What runs, as patterns from the root of the repository: results of the build, data they read, manifests, the lock file. */
export const RUNS = [
  'package.json',
  'package-lock.json',
  '{apps,libs}/*/package.json',
  'libs/services/*/package.json',
  '{apps,libs}/*/dist',
  'libs/services/*/dist',
  'libs/services/policy/catalogue',
  'libs/services/policy/presets',
  'deploy/image/**/*.mjs',
];
