new Buffer(1);
process.emitWarning("careful");
