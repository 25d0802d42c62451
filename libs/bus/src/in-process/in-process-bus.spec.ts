import { describeBus } from '../bus.conformance.js';
import { inProcessBus } from './in-process-bus.js';
import { InProcessBroker } from './in-process-broker.js';

describeBus('in-process', async () => {
  const broker = new InProcessBroker();
  return async (service, options) => inProcessBus(broker, service, options);
});
