/**
 * Preloaded into servers under test: ends them when the test that holds their stdin is gone, even where it was killed itself and
 * could clear nothing up. It changes nothing else: stdin is not what keeps a server alive.
 */
process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL')).resume();
process.stdin.unref();
