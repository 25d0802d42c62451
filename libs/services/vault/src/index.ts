export { startVaultService, type RunningService, type VaultOptions } from './start-vault-service.js';
export { vaultConfigFields, type VaultConfig } from './vault-config.js';
