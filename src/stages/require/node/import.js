// Imports files as a service would, for [require] import = node: NAME…
//
//     node -e THIS -- NAME FILE [NAME FILE…]
//
// FILE is where embark has found NAME ("" for a module of Node's own, and where Yarn knows). import() loads CommonJS modules as well. What is
// printed meanwhile is no answer: lines that begin with "@embark " are, core/languages/reply/imports.h says which.
const fs = require('fs');
const { createRequire } = require('module');
const { pathToFileURL } = require('url');

const write = fs.writeSync.bind(fs, 1);
process.stdout.write = process.stderr.write.bind(process.stderr);

function say(key, value) {
  const text = String(value).replace(/[\\\n\r\0]/g, (c) => ({ '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\0': '' })[c]);
  write(`\n@embark ${key} ${text}\n`);
}

function place(error) {
  const match = /\(?((?:file:\/\/)?\/[^()\n]*:\d+):\d+\)?/.exec(String(error && error.stack).split('\n    at ').slice(1).join('\n'));
  return match ? match[1].replace('file://', '') : '';
}

function fail(error) {
  const missing = /Cannot find (?:module|package) '([^']+)'/.exec(error && error.message);
  say('import-error', error && error.message ? error.message.split('\nRequire stack:')[0] : error);
  say('import-type', (error && (error.code || error.name)) || 'Error');
  say('import-name', missing ? missing[1] : '');
  say('import-at', place(error));
}

// A module may call process.exit(), or leave an error to a later turn of the loop.
process.on('uncaughtException', (error) => {
  fail(error);
  process.reallyExit(0);
});

// import() doesn't take these two.
function load(name, file) {
  if (/\.(node|json)$/.test(file)) return createRequire(file)(file);
  // Yarn's Plug'n'Play was loaded before (-r .pnp.cjs), and answers for what isn't in node_modules.
  if (!file && process.versions.pnp) return createRequire(process.cwd() + '/')(name);
  return import(file ? pathToFileURL(file).href : name);
}

async function main(words) {
  for (let i = 0; i + 1 < words.length; i += 2) {
    say('importing', words[i]);
    try {
      await load(words[i], words[i + 1]);
      say('imported', words[i]);
    } catch (error) {
      fail(error);
    }
  }
  process.reallyExit(0);
}

main(process.argv.slice(1));
