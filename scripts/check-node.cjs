/*
 * Says what is needed when Node is too old, before anything else runs.
 *
 * The project runs TypeScript as it is written, which an older Node cannot even parse: without this check the first thing
 * that a newcomer sees is a syntax error. So this file is plain CommonJS in old JavaScript, and `npm start`, `npm test` and
 * their like run it first. Silent where all is well.
 */
'use strict';

var NEEDED = 24;
var major = parseInt(process.versions.node.split('.')[0], 10);

if (!(major >= NEEDED)) {
  console.error(
    [
      'This project needs Node ' +
        NEEDED +
        ' or later; this is Node ' +
        process.versions.node +
        ' (' +
        process.execPath +
        ').',
      '',
      'On Linux with glibc (x64 and arm64) there is nothing to install by hand: `npm ci` brings Node ' +
        NEEDED +
        ' into',
      'node_modules, and npm scripts use it: `npm ci`, then `npm start` or `npm test`. Outside npm scripts put `npx` before',
      'the command: `npx node server.ts`. If an npm script says this after `npm ci`, optional dependencies were left out:',
      'install again without --omit=optional.',
      '',
      'On Alpine (musl) install with `npm ci --omit=optional` and bring Node ' +
        NEEDED +
        ' yourself, e.g. by the image node:24-alpine.',
      'On macOS bring it yourself too: https://nodejs.org/en/download. On Windows use WSL.',
    ].join('\n'),
  );
  process.exit(1);
}
