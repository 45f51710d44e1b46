"""Programs of every kind of ending, each with what its answer must say. Most are short: what is tested is the
daemon, not the languages."""
import json
from dataclasses import dataclass, field

SLEEP = "import time; print('up', flush=True); time.sleep(30)"


@dataclass
class Program:
    name: str
    language: str
    code: str
    verdict: str = "ok"
    output: str = ""                 # what stdout begins with, and is when the verdict is ok
    more: dict = field(default_factory=dict)
    cancel: bool = False             # as soon as it has printed
    leave: bool = False              # its client goes away then, without a word

    def request(self, name):
        return {"type": "execute_code", "id": name, "language": self.language, "code": self.code} | self.more

    def mistake(self, answer, name):
        """What is wrong with the answer to request(name); None when nothing is."""
        if answer["type"] != "execution_result" or answer.get("id") != name:
            return f"{self.name}: not the answer to {name}: {json.dumps(answer)[:400]}"
        result = answer["result"]
        good = result["output"] == self.output if self.verdict == "ok" else result["output"].startswith(self.output)
        if result["verdict"] != self.verdict or not good or result["success"] != (self.verdict == "ok"):
            return f"{self.name}: {json.dumps(result)[:400]}"
        return None


def python_hello(mark):
    return Program("python", "python", f"print('{mark}')", output=f"{mark}\n")


def c_hello(mark):
    return Program("c", "c", '#include <stdio.h>\nint main(void) { puts("' + mark + '"); return 0; }\n', output=f"{mark}\n")


def large_c(mark):
    """What the compiler leaves of it is a mebibyte."""
    code = "#include <stdio.h>\nchar large[1 << 20] = {1};\nint main(void) { puts(\"" + mark + '"); return large[1]; }\n'
    return Program("large", "c", code, output=f"{mark}\n")


def hellos(mark):
    """One program for each language, by its name."""
    return {
        "python": python_hello(mark),
        "javascript": Program("javascript", "javascript", f"console.log('{mark}')", output=f"{mark}\n"),
        "c": c_hello("the same for all"),
        "cpp": Program("cpp", "cpp", '#include <cstdio>\nint main() { std::puts("cpp"); }\n', output="cpp\n"),
        "go": Program("go", "go", 'package main\n\nimport "os"\n\nfunc main() { os.Stdout.WriteString("go\\n") }\n', output="go\n"),
        "java": Program("java", "java", 'public class Main { public static void main(String[] a) { System.out.println("java"); } }',
                        output="java\n"),
    }


def endings():
    """Programs that end in every way but well, the ones that take long left out."""
    return [
        Program("exit", "python", "print('so far'); raise SystemExit(3)", "nonzero_exit", "so far\n"),
        Program("crash", "c", "int main(void) { *(volatile int *)0 = 1; return 0; }\n", "signalled"),
        Program("kill itself", "python", "import os; os.kill(os.getpid(), 9)", "signalled"),
        Program("memory", "python", "x = bytearray(200 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1", "memory_limit"),
        Program("not compiled", "c", "int main(void) { return x; }\n", "compile_error"),
        Program("refused call", "python", "import ctypes; print(ctypes.CDLL(None).unshare(0x10000000))", output="-1\n"),
        Program("large output", "python", "print('x' * 200_000)", output="x" * 200_000 + "\n"),
        Program("too much output", "python", "while True: print('y' * 65536)", "output_limit", "y"),
        Program("wall", "python", "import time; print(1, flush=True); time.sleep(9)", "wall_limit", "",
                {"limits": {"wall_time": 0.3}}),
        Program("cancelled", "python", SLEEP, "cancelled", "up", {"stream": True}, cancel=True),
        Program("cancelled compiler", "c", "int main(void) { return 0; }\n#define X 1\n", "cancelled", "", {"stream": True},
                cancel=True),
        Program("left", "python", SLEEP, more={"stream": True}, leave=True),
        Program("input", "python", "print(input()[::-1])", output="cba\n", more={"stdin": "abc\n"}),
        Program("terminal", "python", "import sys; print(sys.stdin.isatty())", output="True\r\n", more={"tty": True}),
        Program("files", "python", "import other", output="other\n",
                more={"files": [{"path": "other.py", "content": "print('other')"}]}),
    ]
