import { asRefusalOrFault } from '@gatehouse/kernel';
import type { OutgoingResponse } from '@nestjs/microservices';
import { encode, toWireError } from './wire.js';

/**
 * JSON text of a reply. One that cannot be sent becomes an error reply: the caller learns at once
 * what it would otherwise wait for until its time is over.
 */
export function encodeReply(packet: OutgoingResponse): string {
  try {
    return encode(packet);
  } catch (error) {
    return encode({ id: packet.id, err: toWireError(asRefusalOrFault(error)), isDisposed: true });
  }
}
