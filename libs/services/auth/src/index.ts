export { authConfigFields, type AuthConfig } from './auth-config.js';
export { startAuthService, type AuthOptions, type RunningService } from './start-auth-service.js';
