package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/user"
	"sort"
	"sync"
	"unsafe"
)

type number interface{ ~int | ~float64 }

func sum[T number](list ...T) (total T) {
	for _, one := range list {
		total += one
	}
	return
}

func main() {
	var group sync.WaitGroup
	group.Add(1)
	go group.Done()
	group.Wait()
	text, err := json.Marshal(map[string]int{"a": sum(1, 2)})
	list := []int{3, 1}
	sort.Ints(list)
	me, _ := user.Current()
	fmt.Println(string(text), errors.Is(err, nil), http.StatusOK, unsafe.Sizeof(list), list, me.Uid != "0")
}
