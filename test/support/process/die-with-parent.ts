/**
 * Preloaded into servers under test: ends them when the test that holds their stdin is gone, even if it was killed and could not clean up.
 * It changes nothing else: stdin does not keep a server alive.
 */
process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL')).resume();
process.stdin.unref();
