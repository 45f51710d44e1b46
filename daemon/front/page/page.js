// The page's whole logic: one socket, one run at a time. Output reaches the page as text nodes only.
"use strict";

const kExamples = {
  python: 'name = input("Your name? ")\nprint(f"Hello, {name}!")\n',
  javascript: 'console.log("Hello, World!");\n',
  java: 'public class Main {\n    public static void main(String[] args) {\n        System.out.println("Hello, World!");\n    }\n}\n',
  go: 'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println("Hello, World!")\n}\n',
  c: '#include <stdio.h>\n\nint main(void) {\n    puts("Hello, World!");\n}\n',
  cpp: '#include <iostream>\n\nint main() {\n    std::cout << "Hello, World!\\n";\n}\n',
};

const at = (id) => document.getElementById(id);
const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/ws/demo`;
// A server beyond this machine asks for a token: open the page once with #token=…; it is not sent along
// with the address, and kept for this tab alone.
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  sessionStorage.setItem("token", given);
  history.replaceState(null, "", location.pathname);
}
const token = sessionStorage.getItem("token");
const protocols = token ? ["cloister.v2", `bearer.${token}`] : [];
let socket = null;
let run = null;
let delay = 250;

function show(text, stream) {
  const part = document.createElement("span");
  part.className = stream;
  part.textContent = text;
  at("output").append(part);
  at("output").scrollTop = at("output").scrollHeight;
}

function setRunning(value) {
  at("run").disabled = value || !socket;
  at("stop").disabled = !value;
  at("input").disabled = !value;
}

function onMessage(message) {
  switch (message.type) {
    case "connection_established":
      at("state").textContent = "Connected.";
      delay = 250;
      setRunning(false);
      break;
    case "execution_started":
      run = message.run_id;
      at("input").focus();
      break;
    case "execution_stage":
      at("result").textContent = message.stage === "compile" ? "Compiling…" : "Running…";
      break;
    case "execution_output":
      show(message.data, message.stream);
      break;
    case "execution_result": {
      const result = message.result;
      if (result.verdict === "compile_error") show(result.error, "stderr");
      const reason = result.reason ? `${result.reason} ` : "";
      const code = result.exit_code ? `Exit code ${result.exit_code}. ` : "";
      at("result").textContent =
        `${reason}${code}${result.execution_time.toFixed(2)} s, ${(result.memory_peak / 1048576).toFixed(1)} MiB.`;
      run = null;
      setRunning(false);
      break;
    }
    case "error":
      at("result").textContent = message.message;
      if (message.id === "page") {
        run = null;
        setRunning(false);
      }
      break;
  }
}

function connect() {
  const opened = new WebSocket(address, protocols);
  opened.onopen = () => { socket = opened; };
  opened.onmessage = (event) => onMessage(JSON.parse(event.data));
  opened.onclose = () => {
    socket = null;
    run = null;
    setRunning(false);
    at("run").disabled = true;
    at("state").textContent = "Connecting again…";
    setTimeout(connect, delay * (0.5 + Math.random()));
    delay = Math.min(delay * 2, 10000);
  };
}

const send = (message) => socket && socket.send(JSON.stringify(message));

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!socket || at("run").disabled) return;
  if (document.activeElement === at("input")) return;
  at("output").textContent = "";
  at("result").textContent = "Running…";
  setRunning(true);
  send({ type: "execute_code", id: "page", language: at("language").value, code: at("code").value, stream: true, interactive: true });
});

at("stop").addEventListener("click", () => send({ type: "execution_cancel", id: "page" }));

at("input").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || !run) return;
  event.preventDefault();
  show(`${at("input").value}\n`, "stdin");
  send({ type: "execution_input", run_id: run, data: `${at("input").value}\n` });
  at("input").value = "";
});

at("language").addEventListener("change", () => { at("code").value = kExamples[at("language").value] ?? ""; });

fetch("/api/v1/runtimes").then((reply) => reply.json()).then(({ runtimes }) => {
  for (const runtime of runtimes.filter((one) => one.available)) {
    at("language").append(new Option(`${runtime.name} ${runtime.version}`, runtime.id));
  }
  const python = [...at("language").options].find((option) => option.value === "python");
  if (python) python.selected = true;
  at("code").value = kExamples[at("language").value] ?? "";
});

at("shell").textContent = `npx wscat -c ${address}\n> {"type": "execute_code", "language": "python", "code": "print('Hello, World!')", "file_path": "main.py"}`;
connect();
