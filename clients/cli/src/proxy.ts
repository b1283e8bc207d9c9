/**
 * Whether what is sent goes through a proxy that the environment names.
 *
 * Problem: with `NODE_USE_ENV_PROXY=1` or `--use-env-proxy` Node sends also what is for this machine to `HTTP_PROXY`, unless `NO_PROXY`
 * names it; the operator key must not leave the machine that way.
 * Rule: where it is not sure that the host is left out, it is taken to go through the proxy.
 */
type Environment = Readonly<Record<string, string | undefined>>;

/** Whether a request to this URL would go through a proxy. @param flags what Node itself was started with */
export function isProxied(url: URL, env: Environment, flags: readonly string[] = process.execArgv): boolean {
  const { NODE_USE_ENV_PROXY: used = '', NODE_OPTIONS: options = '' } = env;
  const active =
    !['', '0'].includes(used) || /(^|\s)--use-env-proxy(\s|$)/u.test(options) || flags.includes('--use-env-proxy');
  const named = ['http_proxy', 'HTTP_PROXY', ...(url.protocol === 'https:' ? ['https_proxy', 'HTTPS_PROXY'] : [])].some(
    (name) => (env[name] ?? '') !== '',
  );
  return active && named && !isLeftOut(url, env['no_proxy'] ?? env['NO_PROXY'] ?? '');
}

/** As undici reads NO_PROXY: hosts, with a port or without, and the domains below them; `*` alone is all. */
function isLeftOut({ hostname, port, protocol }: URL, list: string): boolean {
  if (list.trim() === '*') return true;
  const ownPort = port === '' ? { 'http:': '80', 'https:': '443' }[protocol] : port;
  return list.split(/[\s,]+/u).some((entry) => {
    const [, host = entry, only] = /^(.+):(\d+)$/u.exec(entry) ?? [];
    const left = host.replace(/^\*?\./u, '').toLowerCase();
    return (
      left !== '' && (only === undefined || only === ownPort) && (hostname === left || hostname.endsWith(`.${left}`))
    );
  });
}
