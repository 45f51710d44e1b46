package main

import _ "embed"

//go:embed text.txt
var text string

func main() {
	println(text)
}
