// What an honest Go program may expect of a box. Each line ends in "ok" or says what went wrong.
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"os/user"
	"sort"
	"sync"
	"syscall"
	"time"
)

type number interface{ ~int | ~float64 }

func sum[T number](numbers ...T) (total T) {
	for _, each := range numbers {
		total += each
	}
	return
}

func check(name string, good bool) {
	if good {
		fmt.Println(name, "ok")
	} else {
		fmt.Println(name, "FAILED")
	}
}

func goroutines() {
	var group sync.WaitGroup
	var lock sync.Mutex
	count := 0
	for i := 0; i < 1000; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			lock.Lock()
			count++
			lock.Unlock()
		}()
	}
	group.Wait()
	check("goroutines", count == 1000)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	<-ctx.Done()
	check("timers", ctx.Err() == context.DeadlineExceeded)
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGUSR1)
	check("own signals", syscall.Kill(os.Getpid(), syscall.SIGUSR1) == nil && <-heard == syscall.SIGUSR1)
}

func network() {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		check("listen", false)
		return
	}
	go http.Serve(server, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "pong") }))
	check("http over loopback", get(server.Addr()) == "pong")

	// From socket to socket the library would let the kernel splice, and must do without.
	proxy, _ := net.Listen("tcp", "127.0.0.1:0")
	go func() {
		client, _ := proxy.Accept()
		target, _ := net.Dial("tcp", server.Addr().String())
		go io.Copy(target, client)
		io.Copy(client, target)
		client.Close()
	}()
	check("a proxy", get(proxy.Addr()) == "pong")

	found, err := net.LookupHost("localhost")
	check("localhost", err == nil && len(found) > 0)
	interfaces, err := net.Interfaces()
	check("interfaces", err == nil && len(interfaces) > 0)
	_, err = net.DialTimeout("tcp", "192.0.2.1:80", 2*time.Second)
	check("no way out", err != nil)
}

func get(address net.Addr) string {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + address.String())
	if err != nil {
		return err.Error()
	}
	body, _ := io.ReadAll(response.Body)
	return string(body)
}

func files() {
	err := os.WriteFile("a", []byte("한글"), 0o600)
	source, _ := os.Open("a")
	target, _ := os.Create("b")
	size, copyErr := io.Copy(target, source)
	check("files", err == nil && copyErr == nil && size == 6)
	folder, err := os.MkdirTemp("", "x")
	check("temporary files", err == nil && os.RemoveAll(folder) == nil)
}

func main() {
	goroutines()
	network()
	files()
	_, err := exec.Command("ls").Output()
	check("no program", err != nil)
	_, err = os.ReadDir("/usr/bin")
	check("no /usr/bin", os.IsNotExist(err))
	owner, err := user.Current()
	check("a user with a name", err == nil && owner.HomeDir == "/tmp")
	text, _ := json.Marshal(map[string]int{"a": sum(1, 2, 3)})
	check("json and generics", string(text) == `{"a":6}`)
	check("digests", sha256.Sum256(nil)[0] == 0xe3)
	numbers := []int{3, 1, 2}
	sort.Ints(numbers)
	check("sort", numbers[0] == 1)
	zone, err := time.LoadLocation("Asia/Seoul")
	check("zones", err == nil && time.Unix(0, 0).In(zone).Hour() == 9)
	check("arguments", len(os.Args) == 3 && os.Args[2] == "two words")
	check("a second file", helper() == 42)
	input := bufio.NewScanner(os.Stdin)
	check("stdin", input.Scan() && input.Text() == "first" && input.Scan() && input.Text() == "second")
}
