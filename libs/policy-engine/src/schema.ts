/** Namespace of every entity type and action of Gatehouse. */
export const NAMESPACE = 'Gatehouse';

/**
 * The Cedar schema that policies are checked against. Only `call` and `get` have arguments: a policy for all actions
 * that reads them would fail on every `connect` and lock everybody out. Their members are open (what a tool takes is
 * the tool's affair), so what is read below `context.arguments` is not checked here but when a call is decided.
 */
export const POLICY_SCHEMA = `namespace Gatehouse {
  entity Team;
  entity Role;
  entity Person in [Team, Role] { id: String, name?: String, email?: String };
  entity Server { id: String, name: String, server: String };
  entity Tool, Prompt, Resource in [Server] { name: String, server: String };
  // What JSON has and Cedar has not: null, and numbers that are neither whole nor of four decimals at most.
  entity Json enum ["null", "number"];
  type Plain = { client: String, time: Long };
  type WithArguments = { client: String, time: Long, arguments: {} };
  action connect appliesTo { principal: [Person], resource: [Server], context: Plain };
  action call appliesTo { principal: [Person], resource: [Tool], context: WithArguments };
  action get appliesTo { principal: [Person], resource: [Prompt], context: WithArguments };
  action read appliesTo { principal: [Person], resource: [Resource], context: Plain };
}
`;
