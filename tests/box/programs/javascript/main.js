// What an honest Node program may expect of a box. Each line ends in "ok" or says what went wrong.
const { Worker, isMainThread, parentPort } = require('worker_threads');
const childProcess = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const net = require('net');
const os = require('os');
const zlib = require('zlib');

const check = (name, good) => console.log(name, good ? 'ok' : 'FAILED');
const once = (emitter, event) => new Promise((resolve, reject) => {
  emitter.once(event, resolve);
  emitter.once('error', reject);
});

async function workers() {
  const sums = await Promise.all([1, 2, 3].map(() => once(new Worker(__filename), 'message')));
  check('worker threads', sums.every((sum) => sum === 499999500000));
}

async function processes() {
  const child = childProcess.fork('./helper.js', ['child']);
  check('forked interpreter', await once(child, 'message') === 'hello');
  child.disconnect();
  const own = childProcess.spawnSync(process.execPath, ['-e', 'console.log(6 * 7)']);
  check('own interpreter', String(own.stdout) === '42\n');
  try {
    childProcess.execSync('ls', { stdio: 'ignore' });
    check('no shell', false);
  } catch (error) {
    check('no shell', error.code === 'ENOENT');
  }
  check('nothing else in /usr/bin', fs.readdirSync('/usr/bin').filter((name) => !name.startsWith('node')).length === 0);
}

async function files() {
  fs.writeFileSync('a', '한글');
  fs.copyFileSync('a', 'b');
  fs.cpSync('a', 'c');
  await fs.promises.rename('b', 'd');
  check('files', fs.readFileSync('d', 'utf8') === '한글' && fs.existsSync('c'));
  const stream = fs.createReadStream('d').pipe(zlib.createGzip()).pipe(fs.createWriteStream('e.gz'));
  await once(stream, 'finish');
  check('streams', zlib.gunzipSync(fs.readFileSync('e.gz')).toString() === '한글');
}

async function network() {
  const server = http.createServer((request, response) => response.end('pong')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const answer = await new Promise((resolve) => http.get({ port: server.address().port, host: '127.0.0.1' }, (response) => {
    response.on('data', (data) => resolve(String(data)));
  }));
  check('http over loopback', answer === 'pong');
  server.close();
  check('interfaces', 'lo' in os.networkInterfaces());
  try {
    await once(net.connect(80, '192.0.2.1'), 'connect');
    check('no way out', false);
  } catch (error) {
    check('no way out', true);
  }
}

async function libraries() {
  check('crypto', crypto.createHash('sha256').update('').digest('hex').startsWith('e3b0c442'));
  check('crypto in a thread', (await new Promise((resolve) => crypto.scrypt('a', 'b', 32, (error, key) => resolve(key)))).length === 32);
  check('random', crypto.randomUUID().length === 36);
  const date = new Intl.DateTimeFormat('ko-KR', { timeZone: 'Asia/Seoul', dateStyle: 'long' }).format(new Date(0));
  check('languages and zones', date === '1970년 1월 1일');
  check('wasm', WebAssembly.validate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])));
  check('a module', (await import('./module.mjs')).default === 5);
  await new Promise((resolve) => setTimeout(resolve, 5));
  check('timers', true);
}

async function surroundings() {
  check('arguments', process.argv.slice(2).join() === 'one,two words');
  check('a second file', require('./helper.js').value === 42);
  check('home', os.homedir() === '/tmp' && process.cwd() === '/box');
  check('a user with a name', os.userInfo().username.length > 0);
  let input = '';
  for await (const chunk of process.stdin) input += chunk;
  check('stdin', input === 'first\nsecond\n');
}

async function main() {
  for (const step of [workers, processes, files, network, libraries, surroundings]) await step();
}

if (isMainThread) {
  main();
} else {
  let sum = 0;
  for (let i = 0; i < 1e6; i++) sum += i;
  parentPort.postMessage(sum);
}
