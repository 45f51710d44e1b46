// Command direct is `go build` for programs that import nothing but the standard library: it runs the compiler and
// the linker with what `go build` would tell them, and spares the time in which that command looks whether the
// library is up to date. Whatever is not plain, and whatever fails, is left to `go build` itself, so that errors
// read as ever.
//
//	direct compile PART PARTS   in the kit's box: has a part of the library compiled, where it is not
//	direct prepare              after that: asks `go build` and `go list` what to tell the tools
//	direct /usr/bin/go build …  the command to take the place of, with the source files as its last words
package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Where the kit is made, and where it is shown afterwards.
const (
	madeAt  = "/box/"
	shownAt = "/kit/"
)

// The kit's folder: that of this program.
var kit = filepath.Dir(os.Args[0]) + "/"

// The files of the kit.
const (
	importsFile = "importcfg"      // the library's packages, for both tools
	linkFile    = "importcfg.link" // the same, and what the linker writes into every program
	compileFile = "compile.words"  // the compiler's command, words ending with a NUL
	linkerFile  = "link.words"     // the linker's
)

// What comments tell `go build` itself, in place of the compiler.
var directives = []string{"//go:build", "// +build", "//+build", "//go:embed", "//go:debug", "//go:cgo_"}

func main() {
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == "prepare":
		err = prepare()
	case len(os.Args) == 4 && os.Args[1] == "compile":
		err = compilePart(os.Args[2], os.Args[3])
	default:
		replace()
	}
	if err != nil {
		os.Stderr.WriteString("direct: " + err.Error() + "\n")
		os.Exit(1)
	}
}

// replace builds the program, or becomes the command that can.
func replace() {
	if len(os.Args) < 2 {
		os.Exit(2)
	}
	command := os.Args[1:]
	if build(command) {
		return
	}
	err := syscall.Exec(command[0], command, os.Environ())
	os.Stderr.WriteString(command[0] + ": " + err.Error() + "\n")
	os.Exit(1)
}

// build says whether the program is built.
func build(command []string) bool {
	output, sources := split(command)
	if output == "" || len(sources) == 0 {
		return false
	}
	known, err := os.ReadFile(kit + importsFile)
	if err != nil {
		return false
	}
	seen := map[string]bool{}
	for _, source := range sources {
		// go build refuses names that differ in their case only.
		if folded := strings.ToLower(source); seen[folded] || !isPlain(source, known) {
			return false
		} else {
			seen[folded] = true
		}
	}
	compile, link := words(compileFile), words(linkerFile)
	if compile == nil || link == nil {
		return false
	}
	folder, err := os.MkdirTemp("", "direct")
	if err != nil {
		return false
	}
	defer os.RemoveAll(folder)
	here, err := os.Getwd()
	if err != nil {
		return false
	}
	values := strings.NewReplacer("$PACKAGE", folder+"/_pkg_.a", "$FOLDER", folder, "$HERE", here, "$OUTPUT", output, "$KIT", kit)
	fill := func(list []string) []string {
		for i := range list {
			list[i] = values.Replace(list[i])
		}
		return list
	}
	for _, source := range sources {
		compile = append(compile, "./"+source)
	}
	if !run(fill(compile), folder) {
		return false
	}
	if !run(fill(link), folder) {
		_ = os.Remove(output)
		return false
	}
	return true
}

// split returns the value of -o and the source files of a `go build` command; nothing where somebody has added options
// to the usual ones: they are go's to understand.
func split(command []string) (output string, sources []string) {
	const usual = 4 // go build -ldflags=… -buildvcs=false
	if len(command) <= usual || command[usual] != "-o" {
		return "", nil
	}
	for i := 0; i < len(command); i++ {
		if command[i] == "-o" && i+1 < len(command) {
			output = command[i+1]
			i++
		} else if strings.HasSuffix(command[i], ".go") && !strings.HasPrefix(command[i], "-") {
			sources = append(sources, command[i])
		}
	}
	return output, sources
}

// isPlain says whether the file belongs to package main, in this folder, under any build constraint, and imports
// only what the library lets programs import.
func isPlain(name string, known []byte) bool {
	// An underscore may begin the name of a system or _test; go build passes over what begins with a dot.
	if first := name[0] | 0x20; strings.ContainsAny(name, "/_") || !('a' <= first && first <= 'z') {
		return false
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return false
	}
	for _, directive := range directives {
		if bytes.Contains(text, []byte(directive)) {
			return false
		}
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
	if err != nil || file.Name.Name != "main" {
		return false
	}
	for _, one := range file.Imports {
		path, err := strconv.Unquote(one.Path.Value)
		if err != nil {
			return false
		}
		if path == "unsafe" {
			continue
		}
		if isHidden(path) || !bytes.Contains(known, []byte("\npackagefile "+path+"=")) {
			return false
		}
	}
	return true
}

// isHidden says whether only the library itself may import the package.
func isHidden(path string) bool {
	return strings.ContainsAny(path, "=\n") || strings.HasPrefix(path, "vendor/") ||
		strings.Contains("/"+path+"/", "/internal/")
}

func words(file string) []string {
	text, err := os.ReadFile(kit + file)
	if err != nil || len(text) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
}

// run says whether the tool succeeded without a word.
func run(command []string, folder string) bool {
	said, err := os.Create(folder + "/said")
	if err != nil {
		return false
	}
	defer said.Close()
	process, err := os.StartProcess(command[0], command, &os.ProcAttr{Files: []*os.File{nil, said, said}})
	if err != nil {
		return false
	}
	state, err := process.Wait()
	if err != nil || !state.Success() {
		return false
	}
	info, err := said.Stat()
	return err == nil && info.Size() == 0
}

// compilePart has the PART-th of PARTS parts of the library compiled into the cache. The packages come in the order
// of what they import, so that no part waits for a later one.
func compilePart(part, parts string) error {
	number, err := strconv.Atoi(part)
	if err != nil {
		return err
	}
	count, err := strconv.Atoi(parts)
	if err != nil || number < 1 || number > count {
		return os.ErrInvalid
	}
	list, err := exec.Command("/usr/bin/go", "list", "-deps", "std").Output()
	if err != nil {
		return err
	}
	packages := strings.Fields(string(list))
	from, to := len(packages)*(number-1)/count, len(packages)*number/count
	build := exec.Command("/usr/bin/go", append([]string{"list", "-export", "-f", "{{.Name}}"}, packages[from:to]...)...)
	build.Stderr = os.Stderr
	return build.Run()
}

// prepare writes the kit's files.
func prepare() error {
	folder, err := os.MkdirTemp("", "sample")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := os.WriteFile(filepath.Join(folder, "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		return err
	}
	// Flags as in runtime.jsonc.
	sample := exec.Command("/usr/bin/go", "build", "-x", "-ldflags=-s -w", "-buildvcs=false", "-o", folder+"/main", "main.go")
	sample.Dir = folder
	told, err := sample.CombinedOutput()
	if err != nil {
		return err
	}
	packages := exec.Command("/usr/bin/go", "list", "-export", "-f",
		"{{if .Export}}packagefile {{.ImportPath}}={{.Export}}{{end}}", "std")
	packages.Stderr = os.Stderr
	listed, err := packages.Output()
	if err != nil {
		return err
	}
	imports := "# What the library's packages are compiled to.\n" +
		strings.ReplaceAll(string(listed), "="+madeAt, "="+shownAt)
	return writeKit(imports, string(told), folder)
}

// writeKit finds the tools' commands in what `go build -x` told.
func writeKit(imports, told, folder string) error {
	link, compiler, linker := imports, []string(nil), []string(nil)
	for _, line := range strings.Split(told, "\n") {
		list := shellWords(line)
		switch {
		case strings.HasPrefix(line, "modinfo "):
			link += line + "\n"
		case len(list) > 2 && filepath.Base(list[0]) == "compile" && list[len(list)-1] == "./main.go":
			compiler = asTemplate(list[:len(list)-1], "$KIT"+importsFile, "$PACKAGE", folder)
		case len(list) > 2 && filepath.Base(list[0]) == "link":
			linker = asTemplate(list[:len(list)-1], "$KIT"+linkFile, "$OUTPUT", folder)
			linker = append(linker, "$PACKAGE")
		}
	}
	if compiler == nil || linker == nil {
		return os.ErrNotExist
	}
	files := map[string]string{
		importsFile: imports,
		linkFile:    link,
		compileFile: strings.Join(compiler, "\x00") + "\x00",
		linkerFile:  strings.Join(linker, "\x00") + "\x00",
	}
	for name, text := range files {
		if err := os.WriteFile(kit+name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// asTemplate puts holes where a tool's command names the sample's files, and leaves out build ids.
func asTemplate(list []string, imports, output, folder string) []string {
	var result []string
	for i := 0; i < len(list); i++ {
		switch {
		case list[i] == "-buildid":
			i++
		case strings.HasPrefix(list[i], "-buildid="):
		case list[i] == "-o":
			result = append(result, "-o", output)
			i++
		case list[i] == "-importcfg":
			result = append(result, "-importcfg", imports)
			i++
		default:
			word := strings.ReplaceAll(list[i], "$WORK/b001", "$FOLDER")
			result = append(result, strings.ReplaceAll(word, folder, "$HERE"))
		}
	}
	return result
}

// shellWords splits a line of `go build -x`, in which quotes hold a word with spaces together.
func shellWords(line string) []string {
	var list []string
	var word strings.Builder
	quote, inside := byte(0), false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteByte(c)
		case c == '"' || c == '\'':
			quote, inside = c, true
		case c == ' ':
			if inside {
				list = append(list, word.String())
			}
			word.Reset()
			inside = false
		default:
			word.WriteByte(c)
			inside = true
		}
	}
	if inside {
		list = append(list, word.String())
	}
	return list
}
