/** Ours, but read by the command line client and the test runner, which share a shell with the server. */
const READ_ELSEWHERE = ['GATEHOUSE_URL', 'GATEHOUSE_TOKEN', 'GATEHOUSE_TEST_INSTALL'];

/** What Kubernetes sets in every pod for a service called `gatehouse` or `gatehouse-…` (service environment variables). */
const SERVICE_LINK = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)$/;
const SERVICE_LINK_VALUE = /^(tcp|udp|sctp):\/\//;

const MAX_DISTANCE = 4;

/** One problem per `GATEHOUSE_*` variable that nothing reads: a typing mistake must not silently mean the default. */
export function unknownNames(env: Readonly<Record<string, string | undefined>>, known: readonly string[]): string[] {
  const fine = new Set([...known, ...READ_ELSEWHERE]);
  const unknown = Object.keys(env).filter((name) => name.startsWith('GATEHOUSE_') && !fine.has(name) && !isServiceLink(name, env[name]));
  return unknown.sort().map((name) => `${name} is not a setting${suggestion(name, known)}`);
}

function isServiceLink(name: string, value = ''): boolean {
  return SERVICE_LINK.test(name) || (name.endsWith('_PORT') && SERVICE_LINK_VALUE.test(value));
}

function suggestion(name: string, known: readonly string[]): string {
  const [nearest] = known.map((other) => ({ other, far: distance(name, other) })).sort((a, b) => a.far - b.far);
  return nearest !== undefined && nearest.far <= MAX_DISTANCE ? `; did you mean ${nearest.other}?` : '';
}

/** Levenshtein's: the least number of letters to change, add or drop. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (const [column, other] of [...to].entries()) {
      const replaced = row[column]! + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, row[column + 1]! + 1, next[column]! + 1));
    }
    row = next;
  }
  return row.at(-1)!;
}
