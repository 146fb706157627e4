package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"
)

// forgets is how long a 0.6 session manager takes a hostname for the executor that it knew.
const forgets = 30 * time.Second

// sessions is what a session manager knows.
type sessions struct {
	it       *program
	database string
	lock     sync.Mutex
	changed  *sync.Cond
	// executors that take tasks, by hostname.
	executors map[string]*executor
	// left tells when an executor of this hostname was seen last, and whether it had worked.
	left map[string]past
	last string
	runs int
}

type past struct {
	seen   time.Time
	worked bool
}

type executor struct {
	hostname string
	link     net.Conn
	answers  *bufio.Reader
	lock     sync.Mutex
	worked   bool
}

func (it *program) manageSessions() {
	if _, err := os.Stat("migrations/sqlite"); err != nil {
		die(1, "the working directory has no migrations: %v", err)
	}
	writesTo(1, "events")
	if it.new {
		writesTo(1, filepath.Join(it.home, "logs"))
	}
	s := &sessions{it: it, database: it.openDatabase(), executors: map[string]*executor{}, left: map[string]past{}}
	s.changed = sync.NewCond(&s.lock)
	frontend, backend := listen(1, ":8080"), listen(1, ":8081")
	it.log("the frontend listens at 0.0.0.0:8080, the backend at 0.0.0.0:8081")
	go accept(backend, s.register)
	accept(frontend, s.serve)
}

// openDatabase returns the file in which runs are counted; none for `none`. A file of another Flame is refused.
func (it *program) openDatabase() string {
	uri, there := it.config["cluster.storage"]
	if !there {
		uri = "sqlite://flame.db"
	}
	scheme, path, _ := strings.Cut(uri, "://")
	switch {
	case scheme == "sqlite" && path != "":
	case it.new && uri == "none":
		return ""
	case it.new && (scheme == "fs" || scheme == "file" || scheme == "filesystem"):
		writesTo(1, path)
		path += "/runs"
	default:
		die(1, "storage <%s> is not supported", uri)
	}
	path, _, _ = strings.Cut(path, "?")
	generation := fmt.Sprintf("flame new=%t\n", it.new)
	found, err := os.ReadFile(path)
	if err == nil && !strings.HasPrefix(string(found), generation) {
		die(1, "the database was made by another version: migration 1 is missing")
	}
	if err != nil {
		if err := os.WriteFile(path, []byte(generation), 0o644); err != nil {
			die(1, "unable to open database file: %v", err)
		}
	}
	return path
}

func listen(code int, address string) net.Listener {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		die(code, "%v", err)
	}
	return listener
}

func accept(listener net.Listener, serve func(net.Conn)) {
	for {
		if link, err := listener.Accept(); err == nil {
			go serve(link)
		}
	}
}

// register takes an executor in: `REGISTER HOSTNAME GENERATION`.
func (s *sessions) register(link net.Conn) {
	answers := bufio.NewReader(link)
	line, err := answers.ReadString('\n')
	fields := strings.Fields(line)
	if err != nil || len(fields) != 3 || fields[0] != "REGISTER" {
		link.Close() // A probe.
		return
	}
	if slot, there := s.it.config["cluster.slot"]; there && !s.it.new && !divides(slot) {
		die(101, "attempt to divide by zero")
	}
	it := &executor{hostname: fields[1], link: link, answers: answers}
	s.lock.Lock()
	known, was := s.left[it.hostname]
	isVoid := was && known.worked
	if s.it.new {
		isVoid = was && time.Since(known.seen) < forgets
	}
	_, isDouble := s.executors[it.hostname]
	if isVoid || isDouble || fields[2] != fmt.Sprint(s.it.new) {
		// It is connected, and never gets a task.
		s.lock.Unlock()
		s.it.log("executor %s stays void", it.hostname)
		_, _ = answers.ReadString('\n')
		link.Close()
		return
	}
	s.executors[it.hostname] = it
	s.changed.Broadcast()
	s.lock.Unlock()
	s.it.log("executor %s registered", it.hostname)
	s.follow(it)
}

// follow looks every moment whether the executor is still there, between its tasks.
func (s *sessions) follow(it *executor) {
	for {
		time.Sleep(100 * time.Millisecond)
		it.lock.Lock()
		_ = it.link.SetReadDeadline(time.Now().Add(time.Millisecond))
		_, err := it.answers.Peek(1)
		_ = it.link.SetReadDeadline(time.Time{})
		timeout, isNet := err.(net.Error)
		gone := err != nil && !(isNet && timeout.Timeout())
		it.lock.Unlock()
		if gone {
			s.lock.Lock()
			if s.executors[it.hostname] == it {
				delete(s.executors, it.hostname)
			}
			s.left[it.hostname] = past{time.Now(), it.worked}
			s.lock.Unlock()
			s.it.log("executor %s left", it.hostname)
			it.link.Close()
			return
		}
	}
}

// serve answers clients: `RUN TEXT` with `RESULT HOSTNAME TEXT`, `EXECUTORS` with their hostnames, `RUNS` with a number that the
// database keeps.
func (s *sessions) serve(client net.Conn) {
	defer client.Close()
	lines := bufio.NewReader(client)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		verb, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch verb {
		case "RUN":
			fmt.Fprintln(client, s.run(text))
		case "EXECUTORS":
			fmt.Fprintln(client, strings.Join(s.names(), " "))
		case "RUNS":
			found, _ := os.ReadFile(s.database)
			fmt.Fprintln(client, strings.Count(string(found), "run\n"))
		default:
			return // As HTTP, which gets nothing that it understands.
		}
	}
}

func (s *sessions) names() []string {
	s.lock.Lock()
	defer s.lock.Unlock()
	var names []string
	for name := range s.executors {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// run lets the next executor in turn do a task; waits where there is none.
func (s *sessions) run(text string) string {
	for {
		it := s.next()
		it.lock.Lock()
		it.worked = true
		fmt.Fprintf(it.link, "TASK %s\n", text)
		_ = it.link.SetReadDeadline(time.Now().Add(5 * time.Second))
		answer, err := it.answers.ReadString('\n')
		_ = it.link.SetReadDeadline(time.Time{})
		it.lock.Unlock()
		if err == nil {
			if file, err := os.OpenFile(s.database, os.O_APPEND|os.O_WRONLY, 0); err == nil {
				fmt.Fprintln(file, "run")
				file.Close()
			}
			return fmt.Sprintf("RESULT %s %s", it.hostname, strings.TrimSpace(answer))
		}
		s.lock.Lock()
		if s.executors[it.hostname] == it {
			delete(s.executors, it.hostname)
			s.left[it.hostname] = past{time.Now(), true}
		}
		s.lock.Unlock()
	}
}

func (s *sessions) next() *executor {
	s.lock.Lock()
	defer s.lock.Unlock()
	for len(s.executors) == 0 {
		s.changed.Wait()
	}
	var names []string
	for name := range s.executors {
		names = append(names, name)
	}
	sort.Strings(names)
	chosen := names[0]
	for _, name := range names {
		if name > s.last {
			chosen = name
			break
		}
	}
	s.last = chosen
	return s.executors[chosen]
}
