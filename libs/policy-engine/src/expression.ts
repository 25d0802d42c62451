import type { Expr, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';

/** An expression of the policy JSON as this library walks it: one operator, its operands below. */
export type Node = Record<string, unknown>;

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The operator and what stands under it. */
export function operatorOf(node: Node): [operator: string, body: unknown] {
  return Object.entries(node)[0] ?? ['', undefined];
}

/** The expressions directly below one; literals and variables have none. */
export function operandsOf(node: Node): Node[] {
  const [operator, body] = operatorOf(node);
  if (operator === 'Value' || operator === 'Var') return [];
  if (Array.isArray(body)) return body.filter(isNode);
  return isNode(body) ? Object.values(body).filter(isNode) : [];
}

/** Levels of operators from here down; Cedar recurses once or more for each. */
export function depthOf(expression: Expr | Node): number {
  let level: Node[] = [expression as Node];
  let depth = 0;
  while (level.length > 0) {
    depth += 1;
    level = level.flatMap(operandsOf);
  }
  return depth;
}

/** Every expression of a tree, the root included. */
export function* walk(root: Node): Generator<Node> {
  const pending = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    yield node;
    pending.push(...operandsOf(node));
  }
}

/** The entities that a literal names, also inside of sets and records. */
export function entitiesIn(value: unknown): TypeAndId[] {
  if (Array.isArray(value)) return value.flatMap(entitiesIn);
  if (!isNode(value)) return [];
  if (isNode(value['__entity'])) return [value['__entity'] as unknown as TypeAndId];
  return Object.values(value).flatMap(entitiesIn);
}
