package main

import (
	"bufio"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

func (it *program) manageExecutors() {
	code := 101
	if it.new {
		code = 1
	}
	writesTo(code, "/tmp/flame")
	if it.new {
		writesTo(code, filepath.Join(it.home, "logs"))
		writesTo(code, "/var/flame/executors")
	} else {
		writesTo(code, filepath.Join(it.home, "data/cache"))
		writesTo(code, "executor-1")
		if _, there := it.config["cache.endpoint"]; there {
			it.listenForObjects(code)
		}
	}
	address := it.backend(code)
	hostname, err := os.Hostname()
	if err != nil {
		die(code, "%v", err)
	}
	pause := time.Second
	for isFirst := true; ; isFirst = false {
		link, err := net.DialTimeout("tcp", address, 5*time.Second)
		switch {
		case err == nil:
			pause = time.Second
			it.log("registered at %s as %s", address, hostname)
			it.work(link, hostname)
			if !it.new {
				die(101, "the session manager is gone")
			}
		case isFirst || !it.new:
			// It does not try again.
			die(code, "failed to connect to the session manager at %s: %v", address, err)
		}
		time.Sleep(pause)
		pause = min(2*pause, 30*time.Second)
	}
}

// backend returns where executors register: the endpoint's host, one port further.
func (it *program) backend(code int) string {
	endpoint, err := url.Parse(it.config["cluster.endpoint"])
	if err != nil {
		die(code, "%v", err)
	}
	port, err := strconv.Atoi(endpoint.Port())
	if err != nil {
		die(code, "%v", err)
	}
	return fmt.Sprintf("%s:%d", endpoint.Hostname(), port+1)
}

// work does tasks until the link ends: each comes back in capitals.
func (it *program) work(link net.Conn, hostname string) {
	defer link.Close()
	fmt.Fprintf(link, "REGISTER %s %t\n", hostname, it.new)
	lines := bufio.NewReader(link)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		it.log("%s", strings.TrimSpace(line))
		fmt.Fprintln(link, strings.ToUpper(strings.TrimSpace(strings.TrimPrefix(line, "TASK "))))
	}
}

func (it *program) cacheObjects() {
	writesTo(1, filepath.Join(it.home, "logs"))
	if _, there := it.config["cache"]; !there {
		die(1, "missing field `cache`")
	}
	it.listenForObjects(1)
	select {}
}

// listenForObjects serves the object cache at the address of the interface that the configuration names.
func (it *program) listenForObjects(code int) {
	pattern, there := it.config["cache.network_interface"]
	if !there {
		pattern = "eth0"
	}
	names, err := regexp.Compile(pattern)
	if err != nil {
		die(code, "%v", err)
	}
	endpoint, err := url.Parse(it.config["cache.endpoint"])
	if err != nil {
		die(code, "%v", err)
	}
	if storage, there := it.config["cache.storage"]; there {
		writesTo(code, storage)
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		die(code, "%v", err)
	}
	for _, found := range interfaces {
		if !names.MatchString(found.Name) {
			continue
		}
		addresses, err := found.Addrs()
		if err != nil {
			die(code, "%v", err)
		}
		for _, address := range addresses {
			if ip, _, err := net.ParseCIDR(address.String()); err == nil && ip.To4() != nil {
				at := net.JoinHostPort(ip.String(), endpoint.Port())
				listener := listen(code, at)
				it.log("the object cache listens at %s", at)
				go accept(listener, func(link net.Conn) { link.Close() })
				return
			}
		}
	}
	die(code, "no network interface matches %q", pattern)
}
