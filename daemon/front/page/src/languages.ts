// What the page knows of each language: its files, its first program, how the editor reads it. A grammar is
// loaded when a file of its language is opened.
import type {Extension} from "@codemirror/state"

export interface Language {
  id: string
  name: string
  extensions: string[]
  file: string
  example: string
  indent: string | null // null: as the settings say
  isAnalysed: boolean
  load: () => Promise<Extension>
}

const python = `def fibonacci():
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b


name = input("What is your name? ")
print(f"Hello, {name}! Some numbers for you:")

for index, number in zip(range(10), fibonacci()):
    print(f"{index:>3}  {number}")
`
const javascript = `const words = ["calm", "clear", "quick"];

for (const [index, word] of words.entries()) {
  console.log(\`\${index + 1}. \${word}\`);
}
`
const java = `import java.util.List;

public class Main {
    public static void main(String[] args) {
        for (String word : List.of("calm", "clear", "quick")) {
            System.out.println("Hello, " + word + " world!");
        }
    }
}
`
const go = `package main

import "fmt"

func main() {
	for i, word := range []string{"calm", "clear", "quick"} {
		fmt.Printf("%d. %s\\n", i+1, word)
	}
}
`
const c = `#include <stdio.h>

int main(void) {
    char name[64];
    printf("What is your name? ");
    if (scanf("%63s", name) == 1) printf("Hello, %s!\\n", name);
    return 0;
}
`
const cpp = `#include <iostream>
#include <string>
#include <vector>

int main() {
    const std::vector<std::string> words{"calm", "clear", "quick"};
    for (const auto& word : words) std::cout << "Hello, " << word << " world!\\n";
}
`

const loadCpp = async () => (await import("@codemirror/lang-cpp")).cpp()

export const LANGUAGES: Language[] = [
  {id: "python", name: "Python", extensions: [".py"], file: "main.py", example: python, indent: null,
    isAnalysed: true, load: async () => (await import("@codemirror/lang-python")).python()},
  {id: "javascript", name: "JavaScript", extensions: [".js", ".mjs", ".cjs"], file: "main.js", example: javascript,
    indent: null, isAnalysed: true, load: async () => (await import("@codemirror/lang-javascript")).javascript()},
  {id: "java", name: "Java", extensions: [".java"], file: "Main.java", example: java, indent: null,
    isAnalysed: true, load: async () => (await import("@codemirror/lang-java")).java()},
  {id: "go", name: "Go", extensions: [".go"], file: "main.go", example: go, indent: "\t",
    isAnalysed: true, load: async () => (await import("@codemirror/lang-go")).go()},
  {id: "cpp", name: "C++", extensions: [".cpp", ".cc", ".cxx", ".c++", ".hpp", ".hh", ".hxx"], file: "main.cpp",
    example: cpp, indent: null, isAnalysed: false, load: loadCpp},
  {id: "c", name: "C", extensions: [".c", ".h"], file: "main.c", example: c, indent: null, isAnalysed: false,
    load: loadCpp},
]

export function languageOf(path: string): Language | undefined {
  const dot = path.lastIndexOf(".")
  const ending = dot < 0 ? "" : path.slice(dot).toLowerCase()
  return LANGUAGES.find(language => language.extensions.includes(ending))
}

export function languageNamed(id: string): Language | undefined {
  return LANGUAGES.find(language => language.id == id)
}
