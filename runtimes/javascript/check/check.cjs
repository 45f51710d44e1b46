// The deep tier's look at a JavaScript source, in a box: V8's own parser, and ESLint where it is installed.
// Prints one line for each finding, LINE:COLUMN:SEVERITY:CODE:MESSAGE, columns in UTF-16 units from 1, and at the end
// which checkers looked. Nothing of the source is executed.
'use strict';
const fs = require('fs');
const { spawnSync } = require('child_process');

const say = (line, column, severity, code, message) =>
  console.log(`${line || 1}:${column || 0}:${severity}:${code}:${String(message).replace(/\s+/g, ' ')}`);

/** What `node --check` says, or nothing. */
function refusal(path) {
  const done = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8' });
  if (done.status === 0) return null;
  if (done.error || !done.stderr) throw done.error || new Error('node --check ended without a word');
  const lines = done.stderr.split('\n');
  const error = lines.find((line) => /^\w*Error: /.test(line)) || 'SyntaxError: this does not compile';
  const place = /:(\d+)$/.exec(lines[0]);
  const caret = lines.findIndex((line) => /^\s*\^+\s*$/.test(line));
  return { line: place ? Number(place[1]) : 1, column: caret < 0 ? 0 : lines[caret].indexOf('^') + 1, message: error };
}

const IS_MODULE = /import statement outside a module|Unexpected token 'export'|import\.meta|await is only valid/;

function parses(path) {
  let found = refusal(path);
  if (found && IS_MODULE.test(found.message) && !path.endsWith('.mjs')) {
    fs.copyFileSync(path, '/tmp/check.mjs');
    found = refusal('/tmp/check.mjs');
  }
  if (found) say(found.line, found.column, 'error', 'SyntaxError', found.message.replace(/^SyntaxError: /, ''));
  return !found;
}

// Of ESLint's rules those that find faults, not habits.
const RULES = `constructor-super for-direction getter-return no-async-promise-executor no-class-assign no-compare-neg-zero
no-cond-assign no-const-assign no-constant-condition no-control-regex no-debugger no-delete-var no-dupe-args
no-dupe-class-members no-dupe-else-if no-dupe-keys no-duplicate-case no-empty-character-class no-empty-pattern
no-ex-assign no-fallthrough no-func-assign no-global-assign no-import-assign no-invalid-regexp no-irregular-whitespace
no-misleading-character-class no-new-symbol no-obj-calls no-redeclare no-self-assign no-setter-return
no-shadow-restricted-names no-sparse-arrays no-this-before-super no-undef no-unexpected-multiline no-unreachable
no-unsafe-finally no-unsafe-negation no-unused-labels no-unused-vars no-useless-backreference no-useless-catch
no-useless-escape require-yield use-isnan valid-typeof array-callback-return no-self-compare no-template-curly-in-string
no-unmodified-loop-condition no-unreachable-loop no-throw-literal`.split(/\s+/);

// What an ESLint of some age does not know.
const NEWER = Object.fromEntries(`globalThis AggregateError WeakRef FinalizationRegistry structuredClone fetch Headers Request
Response FormData Blob BroadcastChannel performance crypto CryptoKey SubtleCrypto CompressionStream DecompressionStream ReadableStream
WritableStream TransformStream EventTarget Event AbortController AbortSignal MessageChannel TextEncoder TextDecoder queueMicrotask
BigInt BigInt64Array BigUint64Array Atomics SharedArrayBuffer`.split(/\s+/).map((name) => [name, 'readonly']));

/** False when ESLint is not here, or cannot read what V8 can. */
function lints(source, path) {
  let eslint;
  try {
    eslint = require('eslint');
  } catch {
    return false;
  }
  const flat = Number(eslint.Linter.version.split('.')[0]) >= 9;
  const linter = new eslint.Linter();
  const known = flat ? require('eslint/use-at-your-own-risk').builtinRules : linter.getRules();
  const rules = {};
  for (const name of RULES) {
    // Which names there are is not known without a list of the environment's.
    if (known.has(name) && !(flat && name === 'no-undef')) rules[name] = 'warn';
  }
  rules['no-unused-vars'] = ['warn', { vars: 'local', args: 'none' }];
  const config = (sourceType) => (flat
    ? [{ rules, languageOptions: { ecmaVersion: 'latest', sourceType: sourceType === 'script' ? 'commonjs' : 'module' } }]
    : { rules, parserOptions: { ecmaVersion: 2020, sourceType, ecmaFeatures: { globalReturn: sourceType === 'script' } },
      env: { node: true, browser: true, es6: true, es2020: true }, globals: NEWER });
  const look = (sourceType) => linter.verify(source, config(sourceType), { filename: path });
  let found = look('script');
  if (found.some((one) => one.fatal)) found = look('module');
  if (found.some((one) => one.fatal)) return false;
  for (const one of found) say(one.line, one.column, 'warning', one.ruleId || 'eslint', one.message);
  return true;
}

/** One that cannot start here, for want of a part of it, is one that is not installed. */
function linted(path) {
  try {
    return lints(fs.readFileSync(path, 'utf8'), path);
  } catch {
    return false;
  }
}

const path = process.argv[2];
const ran = ['node'];
if (parses(path) && linted(path)) ran.push('eslint');
console.log(`checkers: ${ran.join(' ')}`);
