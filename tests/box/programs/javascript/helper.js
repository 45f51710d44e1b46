module.exports.value = 42;
if (process.argv[2] === 'child') process.send('hello');
