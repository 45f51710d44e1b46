package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		fmt.Println(strings.Fields(in.Text()), os.Args[1:])
	}
	info, ok := debug.ReadBuildInfo()
	fmt.Println(info, ok)
}
