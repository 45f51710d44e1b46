// Drives npm's piston-client against a server, as its own manual does, and prints what it got: the address of the
// server is the one argument. The client sends its JSON as plain text, which Piston's present servers refuse, and so
// do we; a relay of a few lines names the type, as one would to use it with them.
import http from "node:http"
import piston from "piston-client"

const server = new URL(process.argv[2])
const relay = http.createServer((request, response) => {
  const headers = {...request.headers, host: server.host}
  if (request.method == "POST") headers["content-type"] = "application/json"
  request.pipe(http.request({host: server.hostname, port: server.port, path: request.url, method: request.method, headers},
    answer => {
      response.writeHead(answer.statusCode, answer.headers)
      answer.pipe(response)
    }))
})
await new Promise(listening => relay.listen(0, "127.0.0.1", listening))

const client = piston({server: `http://127.0.0.1:${relay.address().port}`})
const source = `
  #include <stdio.h>
  int main(void) { int n; if (scanf("%d", &n) != 1) return 3; printf("%d\\n", n * 2); return 0; }`
const got = {
  direct: await piston({server: server.href}).execute("python", "print()"),
  runtimes: await client.runtimes(),
  short: await client.execute("python", 'print("Hello World!")'),
  args: await client.execute("python", "import sys; print(sys.argv[1:])"),
  files: await client.execute({
    language: "python", version: "3.x", stdin: "in",
    files: [{name: "main.py", content: "import part; print(part.NAME, input())"}, {name: "part.py", content: "NAME = 'part'"}],
    args: ["a"], runTimeout: 2000, compileTimeout: 5000, runMemoryLimit: 64000000,
  }),
  compiled: await client.execute({language: "c", files: [{content: source}], stdin: "21"}),
  wrong: await client.execute({language: "c", files: [{content: "int main(void) { return nothing; }"}]}),
  unknown: await client.execute({language: "cobol", version: "1.x", files: [{content: "x"}]}),
  late: await client.execute({language: "python", files: [{content: "import time; time.sleep(9)"}], runTimeout: 300}),
}
console.log(JSON.stringify(got))
relay.close()
relay.closeAllConnections()
