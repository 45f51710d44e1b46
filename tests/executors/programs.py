"""The same few deeds in every language, and what each comes to wherever it runs.

A deed is (fields of execute_code beside language and code, what the result must say). Codes are by language; a language
that is not there cannot do the deed."""

HELLO = {
    "python": "print('hello')",
    "javascript": "console.log('hello')",
    "java": "public class Main { public static void main(String[] a) { System.out.println(\"hello\"); } }",
    "go": "package main\nimport \"fmt\"\nfunc main() { fmt.Println(\"hello\") }",
    "c": "#include <stdio.h>\nint main(void) { puts(\"hello\"); }",
    "cpp": "#include <iostream>\nint main() { std::cout << \"hello\\n\"; }",
}
INPUT = {
    "python": "import sys; print(sys.stdin.read()[::-1])",
    "javascript": "console.log([...require('fs').readFileSync(0, 'utf8')].reverse().join(''))",
    "java": "public class Main { public static void main(String[] a) throws Exception {"
            " System.out.println(new StringBuilder(new String(System.in.readAllBytes())).reverse()); } }",
    "go": "package main\nimport (\"fmt\"; \"io\"; \"os\")\nfunc main() { b, _ := io.ReadAll(os.Stdin);"
          " for i := len(b) - 1; i >= 0; i-- { fmt.Printf(\"%c\", b[i]) }; fmt.Println() }",
    "c": "#include <stdio.h>\nint main(void) { char b[9]; int n = fread(b, 1, 9, stdin); while (n--) putchar(b[n]);"
         " putchar('\\n'); }",
    "cpp": "#include <iostream>\n#include <string>\nint main() { std::string s; std::cin >> s;"
           " std::cout << std::string(s.rbegin(), s.rend()) << '\\n'; }",
}
STATUS = {
    "python": "import sys; sys.stderr.write('so'); sys.exit(3)",
    "javascript": "process.stderr.write('so'); process.exitCode = 3",
    "java": "public class Main { public static void main(String[] a) { System.err.print(\"so\"); System.exit(3); } }",
    "go": "package main\nimport \"os\"\nfunc main() { os.Stderr.WriteString(\"so\"); os.Exit(3) }",
    "c": "#include <stdio.h>\nint main(void) { fputs(\"so\", stderr); return 3; }",
    "cpp": "#include <iostream>\nint main() { std::cerr << \"so\"; return 3; }",
}
MISTAKE = {
    "java": "public class Main { void f() { int x = \"text\"; } }",
    "go": "package main\nfunc main() { var x int = \"text\" }",
    "c": "int main(void) { return missing; }",
    "cpp": "int main() { return missing; }",
}
CRASH = {
    "python": "import os; os.abort()",
    "javascript": "process.abort()",
    "c": "int main(void) { *(volatile int*)0 = 1; }",
    "cpp": "#include <cstdlib>\nint main() { std::abort(); }",
}
UNCAUGHT = {
    "python": "raise ValueError('oh')",
    "javascript": "throw new Error('oh')",
    "java": "public class Main { public static void main(String[] a) { throw new RuntimeException(\"oh\"); } }",
    "go": "package main\nfunc main() { panic(\"oh\") }",
}
LOOP = {
    "python": "while True: pass",
    "javascript": "for (;;);",
    "java": "public class Main { public static void main(String[] a) { for (;;); } }",
    "go": "package main\nfunc main() { for {} }",
    "c": "int main(void) { for (;;) __asm__(\"\"); }",
    "cpp": "int main() { for (;;) __asm__(\"\"); }",
}
MEMORY = {
    "python": "x = []\nwhile True: x.append(bytearray(1 << 20))",
    "javascript": "const x = []; for (;;) x.push(Buffer.alloc(1 << 20, 1));",
    "go": "package main\nfunc main() { var all [][]byte; for { b := make([]byte, 1 << 20);"
          " for i := range b { b[i] = 1 }; all = append(all, b); _ = all[len(all)-1] } }",
    "c": "#include <stdlib.h>\n#include <string.h>\nint main(void) { for (;;) memset(malloc(1 << 20), 1, 1 << 20); }",
    "cpp": "#include <vector>\nint main() { std::vector<char*> all; for (;;) {"
           " all.push_back(new char[1 << 20]); for (int i = 0; i < 1 << 20; i += 512) ((volatile char*)all.back())[i] = 1; } }",
}
HEAP = {  # the JVM sees the end of its heap before the kernel does
    "java": "import java.util.*; public class Main { public static void main(String[] a) {"
            " List<byte[]> all = new ArrayList<>(); for (;;) all.add(new byte[1 << 20]); } }",
}
FORKS = {
    "python": "import os, time\nwhile True:\n  if os.fork() == 0:\n    time.sleep(30); os._exit(0)",
    "c": "#include <unistd.h>\nint main(void) { for (;;) { int p = fork(); if (p < 0) return 7; if (!p) { sleep(30); return 0; } } }",
    "cpp": "#include <thread>\n#include <chrono>\nint main() { for (;;) std::thread([] {"
           " std::this_thread::sleep_for(std::chrono::seconds(30)); }).detach(); }",
}
FLOOD = {
    "python": "while True: print('x' * 1000)",
    "javascript": "const fs = require('fs'); for (;;) fs.writeSync(1, 'x'.repeat(1000));",
    "java": "public class Main { public static void main(String[] a) { for (;;) System.out.println(\"x\".repeat(1000)); } }",
    "go": "package main\nimport (\"os\"; \"strings\")\nfunc main() { for { os.Stdout.WriteString(strings.Repeat(\"x\", 1000)) } }",
    "c": "#include <stdio.h>\nint main(void) { for (;;) puts(\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"); }",
    "cpp": "#include <iostream>\n#include <string>\nint main() { for (;;) std::cout << std::string(1000, 'x'); }",
}
SLEEP = {
    "python": "import time; time.sleep(30)",
    "javascript": "setTimeout(() => {}, 30000)",
    "java": "public class Main { public static void main(String[] a) throws Exception { Thread.sleep(30000); } }",
    "go": "package main\nimport \"time\"\nfunc main() { time.Sleep(30 * time.Second) }",
    "c": "#include <unistd.h>\nint main(void) { sleep(30); }",
    "cpp": "#include <thread>\n#include <chrono>\nint main() { std::this_thread::sleep_for(std::chrono::seconds(30)); }",
}
FORBIDDEN = {
    "c": "#include <unistd.h>\n#include <errno.h>\n#include <sys/mount.h>\n#include <stdio.h>\n#include <sys/syscall.h>\n"
         "int main(void) { int m = mount(\"x\", \"/tmp\", \"tmpfs\", 0, 0), e = errno; int p = syscall(101, 0, 0, 0, 0);"
         " printf(\"%d %d %d %d\", m, e, p, errno); errno = 0; syscall(SYS_clone3, 0, 0); printf(\" %d\", errno);"
         " errno = 0; syscall(500); printf(\" %d\\n\", errno); }",
}
# Writes a file and makes a link and a folder beside it; what comes back is the file alone.
FILES = {
    "python": "import os\nopen('out.txt', 'w').write('kept')\nos.symlink('/etc/passwd', 'link')\nos.mkdir('folder')",
    "javascript": "const fs = require('fs'); fs.writeFileSync('out.txt', 'kept'); fs.symlinkSync('/etc/passwd', 'link');"
                  " fs.mkdirSync('folder');",
    "java": "import java.nio.file.*; public class Main { public static void main(String[] a) throws Exception {"
            " Files.writeString(Path.of(\"out.txt\"), \"kept\"); Files.createSymbolicLink(Path.of(\"link\"), Path.of(\"/etc/passwd\"));"
            " Files.createDirectory(Path.of(\"folder\")); } }",
    "go": "package main\nimport \"os\"\nfunc main() { os.WriteFile(\"out.txt\", []byte(\"kept\"), 0600);"
          " os.Symlink(\"/etc/passwd\", \"link\"); os.Mkdir(\"folder\", 0700) }",
    "c": "#include <stdio.h>\n#include <sys/stat.h>\n#include <unistd.h>\nint main(void) { FILE* f = fopen(\"out.txt\", \"w\");"
         " fputs(\"kept\", f); fclose(f); return symlink(\"/etc/passwd\", \"link\") + mkdir(\"folder\", 0700); }",
    "cpp": "#include <fstream>\n#include <filesystem>\nint main() { std::ofstream(\"out.txt\") << \"kept\";"
           " std::filesystem::create_symlink(\"/etc/passwd\", \"link\"); std::filesystem::create_directory(\"folder\"); }",
}
OLD_CALL = {
    "c": "int main(void) { int r; __asm__ volatile(\"int $0x80\" : \"=a\"(r) : \"a\"(20) : \"memory\"); return 0; }",
}

DEEDS = {
    "says hello": (HELLO, {}, {"verdict": "ok", "output": "hello\n", "exit_code": 0, "success": True}),
    "reads its input": (INPUT, {"stdin": "abcdef"}, {"verdict": "ok", "output": "fedcba\n"}),
    "ends with a status": (STATUS, {}, {"verdict": "nonzero_exit", "exit_code": 3, "error": "so", "success": False}),
    "does not compile": (MISTAKE, {}, {"verdict": "compile_error", "success": False}),
    "crashes": (CRASH, {}, {"verdict": "signalled"}),
    "fails by itself": (UNCAUGHT, {}, {"verdict": "nonzero_exit"}),
    "never ends": (LOOP, {"limits": {"cpu_time": 0.5}}, {"verdict": "time_limit"}),
    "takes all memory": (MEMORY, {}, {"verdict": "memory_limit"}),
    "takes all of its heap": (HEAP, {}, {"verdict": "nonzero_exit", "exit_code": 1}),
    "multiplies": (FORKS, {}, {"verdict": "process_limit"}),
    "floods": (FLOOD, {}, {"verdict": "output_limit"}),
    "sleeps": (SLEEP, {"limits": {"wall_time": 1}}, {"verdict": "wall_limit"}),
    "calls what is refused": (FORBIDDEN, {}, {"verdict": "ok", "output": "-1 1 -1 1 38 38\n"}),
    "leaves files": (FILES, {"collect": ["out.txt", "link", "folder", "none"]}, {"verdict": "ok"}),
    "calls what is foreign": (OLD_CALL, {}, {"verdict": "forbidden_syscall"}),
}
LANGUAGES = tuple(HELLO)
