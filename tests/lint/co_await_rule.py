#!/usr/bin/env python3
"""A statement with co_await holds names, literals and calls: no braces, no lambdas, no bindings.

gcc 12 destroys an aggregate temporary twice when it stands in the same full expression as a
co_await, and an immediately invoked lambda coroutine likewise; later versions leak what a structured
binding takes. Naming the value on a line of its own avoids all of them.

    co_await_rule.py [ROOT]      prints each offence; exit code 1 when there is one
    co_await_rule.py --self-test
"""
import re
import sys
from pathlib import Path

TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(\w*)\((?:.*?)\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])*\''
    r"|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*|[A-Za-z_][A-Za-z_0-9]*|[0-9][0-9a-zA-Z_.']*|->|::|&&|\S", re.S | re.M)
HEADS = {"if", "while", "for", "switch"}
BEFORE_BLOCK = {")", "]", ";", "{", "}", ":", "else", "do", "try", "noexcept", "const", "mutable", "override"}


def tokens_of(text):
    line, last = 1, 0
    for match in TOKEN.finditer(text):
        line += text.count("\n", last, match.start())
        last = match.start()
        token = match.group()
        if token.startswith(("//", "/*")) or token.lstrip().startswith("#"):
            continue
        yield (token if token[0] not in "\"'" and not token.startswith('R"') else '""'), line


def is_block(tokens, index):
    """Whether the brace at `index` opens a block, not a braced value."""
    if index == 0 or tokens[index - 1][0] in BEFORE_BLOCK:
        return True
    # A lambda's or function's result type stands between its parameters and its block.
    for back in range(index - 1, max(index - 40, -1), -1):
        if tokens[back][0] == "->":
            return True
        if tokens[back][0] in ";{}":
            break
        if tokens[back][0] in ("namespace", "struct", "class", "enum", "union"):
            return True
    return False


def opening_of(tokens, index):
    """The brace that the one at `index` closes."""
    depth = 0
    while index > 0:
        depth += {"}": 1, "{": -1}.get(tokens[index][0], 0)
        if depth == 0:
            break
        index -= 1
    return index


def statement_around(tokens, index):
    """First and last index of the statement that holds the token, and whether a brace cut it short."""
    first = index
    while first > 0 and tokens[first - 1][0] not in (";", "{", "}"):
        first -= 1
    if first > 0 and tokens[first - 1][0] == "{" and not is_block(tokens, first - 1):
        return first - 1, index, True
    if first > 0 and tokens[first - 1][0] == "}" and not is_block(tokens, opening_of(tokens, first - 1)):
        return first - 1, index, True
    depth, last, head = 0, first, tokens[first][0] in HEADS
    while last < len(tokens) - 1:
        token = tokens[last][0]
        if token in "([":
            depth += 1
        elif token in ")]":
            depth -= 1
            # The head of an if or a loop ends the statement that we look at.
            if last > index and depth <= 0 and (head and depth == 0 or depth < 0):
                if tokens[last + 1][0] == "{" or depth == 0:
                    break
        elif token == ";" and last >= index:
            break
        elif token == "{":
            return first, last, True
        last += 1
    return first, last, False


def offences(path, text):
    tokens = list(tokens_of(text))
    for index, (token, line) in enumerate(tokens):
        if token != "co_await":
            continue
        first, last, braced = statement_around(tokens, index)
        where = f"{path}:{line}"
        if braced:
            yield f"{where}: a brace in a co_await statement: name the value on a line of its own"
            continue
        for at in range(first, last):
            if tokens[at][0] != "[" or tokens[at + 1][0] == "[" or at and tokens[at - 1][0] == "[":
                continue
            before = tokens[at - 1][0] if at > 0 else ";"
            if before in ("auto", "&", "&&") and "auto" in (tokens[at - 1][0], tokens[max(at - 2, 0)][0]):
                yield f"{where}: a structured binding of a co_await: use redirect_error"
            elif not re.fullmatch(r"[A-Za-z_]\w*|\)|\]|\"\"", before) or before in ("return", "co_return", "co_await"):
                yield f"{where}: a lambda in a co_await statement: name it on a line of its own"


def check(root):
    found = []
    for folder in ("isolate", "policies", "runtimes", "daemon", "tests"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".h", ".cpp"):
                found += offences(path.relative_to(root).as_posix(), path.read_text())
    return found


def self_test():
    bad = [
        "void f() { co_await g(Message{1, 2}); }",
        "void f() { co_await g({1, 2}); }",
        'void f() { co_await send({{"type", "pong"}}); }',
        "void f() { auto x = co_await g(std::optional<Message>{a}); }",
        "void f() { use(Message{.a = b}, co_await g()); }",
        "void f() { Message m{co_await g()}; }",
        "void f() { co_await [&]() -> task { co_return; }(); }",
        "void f() { co_await g([x] { return x; }); }",
        "void f() { auto [error, socket] = co_await g(); }",
        "void f() { auto& [error, socket] = co_await g(); }",
        "void f() { if (co_await g(Message{1})) return; }",
        "void f() { if (auto x = co_await g({}); x) { h(); } }",
        "void f() { while (co_await g(Message{1})) { h(); } }",
        "void f() { co_return co_await g(Message{1}); }",
    ]
    good = [
        "void f() { co_await g(message); }",
        "void f() { if (co_await g(a[1])) { h({1}); } }",
        "void f() { while (co_await g()) h({1}); }",
        "void f() { for (;;) { auto n = co_await read(socket, token(use, error)); if (n) { break; } } }",
        "void f() { spawn(x, [self]() -> awaitable<void> { co_await self->run(); }, detached); }",
        "void f() { spawn(x, [self] { return 1; }, detached); co_await g(); }",
        "void f() { Message m{1}; co_await g(std::move(m)); }",
        'void f() { /* co_await g({}) */ h("co_await g({})"); } // co_await g({})',
        "awaitable<void> f() { if (a) { co_await g(); } else { co_await h(); } }",
        "void f() { switch (co_await g()) { case 1: h({2}); } }",
        "void f() { if (a) co_await g(); Message m{1}; }",
    ]
    for text in bad:
        assert list(offences("x", text)), ("must complain", text)
    for text in good:
        assert not list(offences("x", text)), ("must not complain", text, list(offences("x", text)))


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    result = check(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve())
    print("\n".join(result))
    sys.exit(1 if result else 0)
