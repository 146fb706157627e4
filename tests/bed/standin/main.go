// Stands in for Flame's programs in a container: the same files read and written, the same ports, the same deaths, as they were
// measured of Flame 577 (2026-02) and 0.6.0; README.md beside tests/bed tells which behaviours, and which not. Instead of gRPC
// it speaks lines, so that a shell can be a client.
//
//	standin ROLE [ARGS...]          session-manager, executor-manager, object-cache, pause, grow
//	standin images                  writes all images to standard output, as one tar in Docker's format
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// program is one run of a stand-in.
type program struct {
	role string
	// new tells Flame 0.6 and later from what came before.
	new    bool
	home   string
	config config
}

func main() {
	if len(os.Args) < 2 {
		die(2, "a role is missing")
	}
	role, args := os.Args[1], os.Args[2:]
	switch role {
	case "images":
		if err := writeImages(os.Stdout); err != nil {
			die(1, "%v", err)
		}
	case "pause":
		pause()
	case "grow":
		grow()
	case "session-manager", "executor-manager", "object-cache":
		// As the first process of a container no Flame program reacts to SIGTERM.
		signal.Ignore(syscall.SIGTERM)
		it := program{role: role, new: os.Getenv("STANDIN_GENERATION") == "060", home: os.Getenv("FLAME_HOME")}
		it.config = readConfig(configFile(args), it.new)
		it.run()
	default:
		die(2, "no such role: %s", role)
	}
}

func (it *program) run() {
	switch it.role {
	case "session-manager":
		it.manageSessions()
	case "executor-manager":
		it.manageExecutors()
	case "object-cache":
		it.cacheObjects()
	}
}

// configFile finds the one argument that every program needs; no variable is read for it.
func configFile(args []string) string {
	if len(args) != 2 || args[0] != "--config" {
		die(1, "<> is not a file")
	}
	if info, err := os.Stat(args[1]); err != nil || info.IsDir() {
		die(1, "<%s> is not a file", args[1])
	}
	return args[1]
}

// log says something that only RUST_LOG asks for; without it Flame prints errors only.
func (it *program) log(format string, args ...any) {
	if level := os.Getenv("RUST_LOG"); strings.Contains(level, "info") || strings.Contains(level, "debug") {
		fmt.Printf("INFO flame_%s: %s\n", strings.ReplaceAll(it.role, "-", "_"), fmt.Sprintf(format, args...))
	}
}

// die ends the program with an exit code: 101 is a Rust panic.
func die(code int, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	if code == 101 {
		fmt.Fprintf(os.Stderr, "thread 'main' panicked:\n%s\n", what)
	} else {
		fmt.Fprintf(os.Stderr, "ERROR %s\n", what)
	}
	os.Exit(code)
}

// makes a directory that a program writes to, and a file in it, or dies.
func writesTo(code int, directory string) {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		die(code, "%v", err)
	}
	if err := os.WriteFile(directory+"/.written", nil, 0o644); err != nil {
		die(code, "%v", err)
	}
}

// pause holds a Pod's namespaces.
func pause() {
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGTERM, syscall.SIGINT)
	<-ends
}

// grow takes memory until somebody ends it.
func grow() {
	var all [][]byte
	for {
		piece := make([]byte, 1<<20)
		for at := range piece {
			piece[at] = 1
		}
		all = append(all, piece)
	}
}
