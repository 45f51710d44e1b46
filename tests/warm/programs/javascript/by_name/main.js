const fs = require('fs');
const numbers = fs.readFileSync('/dev/stdin', 'utf8').trim().split('\n').map(Number);
fs.writeFileSync('/dev/stdout', `${numbers.reduce((a, b) => a + b)}\n`);
fs.writeFileSync('/dev/stderr', 'done\n');
