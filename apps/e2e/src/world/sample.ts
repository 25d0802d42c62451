import { startDemoServer } from '@gatehouse/demo-server';
import { admin, registered, servedEverywhere, type World } from './world.js';

/** Makes sure `demo` can be called: the one process has it already, the five services are given one. */
export async function withDemo(world: World): Promise<{ close(): Promise<void> }> {
  const { items } = await admin(world).ok('GET', '/servers');
  if (items.some((server: { name: string }) => server.name === 'demo')) return { close: async () => undefined };
  const demo = await startDemoServer({});
  await registered(world, { name: 'demo', url: demo.url });
  await servedEverywhere(world, 'demo');
  return demo;
}
