package main

import (
	"fmt"
	"os"
)

func main() {
	var x int = "text"
	y := 1
	fmt.Println(undefined)
}
