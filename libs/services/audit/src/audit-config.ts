import type { Field } from '@gatehouse/config';

/** Configuration of the audit service: nothing of its own yet but what every service has. */
export const auditConfigFields = {} as const satisfies Record<string, Field>;
