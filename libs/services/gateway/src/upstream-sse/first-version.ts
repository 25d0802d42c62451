/** The revision that HTTP+SSE is from, which servers of that transport may answer to `initialize`. */
export const FIRST_VERSION = '2024-11-05';

/** What a client of streamable HTTP is told in its place: the oldest revision with that transport, which reads all that the first one could say. */
export const TOLD_VERSION = '2025-03-26';
