import { Refusal } from '@gatehouse/kernel';
import type { Destination } from '@gatehouse/outbound';

const LONGEST = 2_048;

/**
 * The address that an `endpoint` event names, resolved against the event stream's. Refuses with
 * `upstream_invalid` {reason: no_endpoint | endpoint_origin}: messages carry the credential, and that goes
 * to one origin only; and with `url_refused` what may not be reached at all.
 */
export function endpointOf(data: Buffer, events: Destination, destinationAt: (url: string) => Destination): Destination {
  const text = data.toString('utf8').trim();
  if (text === '' || text.length > LONGEST || !URL.canParse(text, events.url)) throw new Refusal('upstream_invalid', { reason: 'no_endpoint' });
  const { origin, href } = new URL(text, events.url);
  if (origin !== events.origin) throw new Refusal('upstream_invalid', { reason: 'endpoint_origin' });
  return destinationAt(href);
}
