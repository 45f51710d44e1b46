// JavaScript's warm starter: node has started, has used what programs use first, and waits for its program.
// Node preloads this file (-r) and runs main.js itself after it, so a program's stack traces, require.main and
// module system are those of a plain start. Whatever could tell of this file is put back at its end.
'use strict';

(() => {
  const Module = require('module');

  const undo = () => {
    process.execArgv.splice(process.execArgv.indexOf('-r'), 2);
    process._preload_modules.length = 0;
    delete require.cache[__filename];
    for (const key of Object.keys(Module._pathCache)) {
      if (Module._pathCache[key] === __filename) delete Module._pathCache[key];
    }
  };

  if (!require('worker_threads').isMainThread) return undo(); // a program's worker inherits the -r

  const fs = require('fs');
  const { Console } = require('console');
  const { Writable, PassThrough } = require('stream');
  const util = require('util');

  // First uses compile node's own functions. The streams are made up: descriptors 0 to 2 stay untouched, because
  // opening a pipe as a stream makes it non-blocking, which fs.writeSync(1, …) would notice.
  const exercise = () => {
    for (const name of ['assert', 'buffer', 'crypto', 'events', 'fs/promises', 'net', 'os', 'path', 'perf_hooks', 'querystring',
      'readline', 'stream', 'string_decoder', 'timers', 'tty', 'url', 'util', 'zlib']) require(name);
    const nowhere = new Writable({ write(chunk, encoding, done) { done(); }, decodeStrings: false });
    const console = new Console(nowhere, nowhere);
    console.log('%s %d %o', 'a', 1, { b: [1, 'c', null, undefined, { d: new Map([[1, new Set([2])]]) }] }, [1.5, -0], 'é');
    console.error(util.format('%j', { a: 1 }), new Error('x'), class A {}, () => 1, Symbol('s'), 10n, new Date(0));
    console.table([{ a: 1 }]);
    const lines = new PassThrough();
    const reader = require('readline').createInterface({ input: lines });
    reader.on('line', () => {});
    lines.end('a\nb\n');
    process._tickCallback();
    reader.close();
    Buffer.from('abc', 'utf8').toString('base64');
    require('crypto').createHash('sha256').update('a').digest('hex');
    JSON.parse(JSON.stringify({ a: [1, { b: 'c' }] }));
    [3, 1, 2].sort((a, b) => a - b).map(String).join();
    try { fs.readFileSync('/usr/nothing', 'utf8'); } catch {}
    clearTimeout(setTimeout(() => {}, 1));
    clearImmediate(setImmediate(() => {}));
    Promise.resolve().then(async () => { await null; });
    process._tickCallback();
  };

  const wait = () => {
    fs.writeSync(4, '+');
    fs.closeSync(4);
    const parts = [];
    const part = Buffer.allocUnsafeSlow(65536);
    for (let size; (size = fs.readSync(3, part)) > 0;) parts.push(Buffer.from(part.subarray(0, size)));
    fs.closeSync(3);
    if (parts.length === 0) process.reallyExit(0); // nobody needs this interpreter any more
    return Buffer.concat(parts).toString('utf8').split('\0').slice(0, -1);
  };

  exercise();
  // What the exercise left behind is gone before the program, not in the midst of it.
  require('v8').setFlagsFromString('--expose-gc');
  require('vm').runInNewContext('gc')();
  require('v8').setFlagsFromString('--no-expose-gc');
  const words = wait();
  undo();
  process.argv.push(...words.slice(words.indexOf('main.js') + 1));
})();
