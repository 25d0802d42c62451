export { BUS, type Bus, type BusLog, type BusOptions, type ConsumeHandler, type EventLog, type FollowHandler, type Poison, type Subscription } from './bus.js';
export { MAX_DELIVERIES } from './delivery.js';
export { inProcessBus } from './in-process/in-process-bus.js';
export { InProcessBroker } from './in-process/in-process-broker.js';
export { EVENT_STREAM } from './nats/event-stream.js';
export { natsBus, type NatsBusOptions } from './nats/nats-bus.js';
export { Serves, type RequestHandler } from './serves.js';
export { MAX_PAYLOAD_BYTES } from './wire.js';
