/** Ends what `jest.database.mjs` started. */
export default async function stopDatabases() {
  await globalThis.stopDatabases();
}
