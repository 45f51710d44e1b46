// A server for working on the page: what the daemon does for a browser, with the page of this folder. Pages
// and assets come from OUT, everything else from a real daemon behind it.
import {randomBytes} from "node:crypto"
import {readFile} from "node:fs/promises"
import http from "node:http"
import net from "node:net"
import path from "node:path"

const TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".woff2": "font/woff2", ".svg": "image/svg+xml"}

const policy = (nonce, host) => [
  "default-src 'none'", "script-src 'self'", `style-src 'self' 'nonce-${nonce}'`, "style-src-attr 'unsafe-inline'",
  `connect-src 'self' ws://${host}`, "img-src 'self' data:", "font-src 'self'", "media-src 'self' blob:", "base-uri 'none'",
  "form-action 'none'", "frame-ancestors 'none'"].join("; ")

const isPage = url => url == "/api/v1/ws/demo" || /^\/api\/v1\/ws\/room\/[\w-]{1,64}$/.test(url)

/** Serves until close(); `daemon` is {host, port} of the real one. */
export async function servePage(out, daemon, port = 0) {
  const behind = headers => ({...headers, host: `${daemon.host}:${daemon.port}`,
    ...headers.origin && {origin: `http://${daemon.host}:${daemon.port}`}})
  const server = http.createServer(async (request, response) => {
    const url = new URL(request.url, "http://page").pathname
    try {
      if (isPage(url)) {
        const nonce = randomBytes(16).toString("base64")
        const html = (await readFile(path.join(out, "index.html"), "utf8")).replaceAll("{{nonce}}", nonce)
        response.writeHead(200, {"content-type": "text/html; charset=utf-8", "cache-control": "no-store",
          "content-security-policy": policy(nonce, request.headers.host), "x-content-type-options": "nosniff",
          "referrer-policy": "no-referrer", "cross-origin-opener-policy": "same-origin",
          "permissions-policy": "microphone=(self), camera=(self), display-capture=(self)"})
        return response.end(html)
      }
      if (/^\/assets\/[\w.-]+$/.test(url)) {
        const bytes = await readFile(path.join(out, url))
        response.writeHead(200, {"content-type": TYPES[path.extname(url)] ?? "application/octet-stream"})
        return response.end(bytes)
      }
    } catch {
      response.writeHead(404)
      return response.end()
    }
    const onward = http.request({...daemon, path: request.url, method: request.method, headers: behind(request.headers)}, reply => {
      response.writeHead(reply.statusCode, reply.headers)
      reply.pipe(response)
    })
    onward.on("error", () => { response.writeHead(502); response.end() })
    request.pipe(onward)
  })
  server.on("upgrade", (request, socket, head) => {
    const onward = net.connect(daemon.port, daemon.host, () => {
      const headers = Object.entries(behind(request.headers)).map(([name, value]) => `${name}: ${value}`)
      onward.write(`GET ${request.url} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`)
      onward.write(head)
      socket.pipe(onward).pipe(socket)
    })
    for (const end of [socket, onward]) end.on("error", () => { socket.destroy(); onward.destroy() })
    for (const end of [socket, onward]) end.on("close", () => { socket.destroy(); onward.destroy() })
  })
  await new Promise(resolve => server.listen(port, "127.0.0.1", resolve))
  return {address: `http://127.0.0.1:${server.address().port}`, close: () => server.close()}
}
