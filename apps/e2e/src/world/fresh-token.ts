import { admin, eventually } from './asking.js';
import type { World } from './world.js';

/** A personal access token made through the admin API, once every edge knows it. */
export async function freshToken(world: World, body: Record<string, unknown>): Promise<{ id: string; token: string }> {
  const { id, token } = await admin(world).ok('POST', '/tokens', body);
  for (const edge of world.edges) {
    await eventually(async () => {
      const answer = await fetch(`${edge}/mcp/nothing-here`, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } });
      await answer.arrayBuffer();
      return answer.status === 401 ? undefined : true;
    });
  }
  return { id, token };
}
