console.log(process.argv.slice(2), process.argv.length, process.argv0, process.execArgv, process.execPath, process.title);
