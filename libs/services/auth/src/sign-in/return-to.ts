const OWN_PATHS = [/^\/$/, /^\/connect\/[A-Za-z0-9_-]{16,128}$/, /^\/interaction\/[A-Za-z0-9_-]{1,128}$/, /^\/console(\/[A-Za-z0-9._~-]+)*\/?$/];

/**
 * Where a browser may be sent after its sign-in: an interaction of the authorization server, a connect
 * link, the console, or the start page, without query or fragment. Everything else is undefined (open redirect).
 */
export function safeReturn(path: string | null | undefined): string | undefined {
  const asked = path ?? '/';
  if (asked.split('/').some((segment) => segment === '.' || segment === '..')) return undefined;
  return OWN_PATHS.some((own) => own.test(asked)) ? asked : undefined;
}
