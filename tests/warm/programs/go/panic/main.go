package main

func f(a []int, i int) int { return a[i] }

func main() {
	f([]int{1}, 5)
}
