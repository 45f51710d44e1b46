//go:build linux

package main

const name = "linux"
