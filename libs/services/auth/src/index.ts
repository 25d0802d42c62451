export { authConfigFields, authListenFields, type AuthConfig } from './auth-config.js';
export { startAuthService, type AuthOptions, type RunningService } from './start-auth-service.js';
export { listenSettings, type ListenSettings } from './http/listen-settings.js';
