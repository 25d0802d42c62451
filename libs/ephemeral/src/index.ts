export { type Ephemeral } from './ephemeral.js';
export { memoryEphemeral } from './memory-ephemeral.js';
export { redisEphemeral, type RedisEphemeralOptions } from './redis-ephemeral.js';
