/**
 * Whether requests go through a proxy named in the environment.
 *
 * Problem: with `NODE_USE_ENV_PROXY=1` or `--use-env-proxy`, Node also sends requests for this machine to `HTTP_PROXY`, unless `NO_PROXY`
 * lists it. The operator key must not leave the machine that way.
 * Rule: if it is not certain that the host is exempt, assume that it goes through the proxy.
 */
type Environment = Readonly<Record<string, string | undefined>>;

/** Whether a request to this URL would go through a proxy. @param flags the arguments of Node itself */
export function isProxied(url: URL, env: Environment, flags: readonly string[] = process.execArgv): boolean {
  const { NODE_USE_ENV_PROXY: used = '', NODE_OPTIONS: options = '' } = env;
  const active =
    !['', '0'].includes(used) || /(^|\s)--use-env-proxy(\s|$)/u.test(options) || flags.includes('--use-env-proxy');
  const named = ['http_proxy', 'HTTP_PROXY', ...(url.protocol === 'https:' ? ['https_proxy', 'HTTPS_PROXY'] : [])].some(
    (name) => (env[name] ?? '') !== '',
  );
  return active && named && !isExempt(url, env['no_proxy'] ?? env['NO_PROXY'] ?? '');
}

/** Reads NO_PROXY like undici: hosts with an optional port, including their subdomains; `*` alone means all. */
function isExempt({ hostname, port, protocol }: URL, list: string): boolean {
  if (list.trim() === '*') return true;
  const ownPort = port === '' ? { 'http:': '80', 'https:': '443' }[protocol] : port;
  return list.split(/[\s,]+/u).some((entry) => {
    const [, host = entry, only] = /^(.+):(\d+)$/u.exec(entry) ?? [];
    const exempt = host.replace(/^\*?\./u, '').toLowerCase();
    return (
      exempt !== '' &&
      (only === undefined || only === ownPort) &&
      (hostname === exempt || hostname.endsWith(`.${exempt}`))
    );
  });
}
