/** Ends what `jest-database.config.mjs` started. */
export default async function stopDatabases() {
  await globalThis.stopDatabases();
}
