package main

import (
	"os"
	"strconv"
	"strings"
)

// config is a flame-cluster.yaml as far as Flame's programs read it; what is not there is not in the map.
type config map[string]string

// readConfig reads a file as Flame does: what it needs has to be there, what it does not know is ignored.
func readConfig(path string, new bool) config {
	text, err := os.ReadFile(path)
	if err != nil {
		die(1, "%v", err)
	}
	it := parse(string(text))
	for _, key := range []string{"cluster.name", "cluster.endpoint"} {
		if _, there := it[key]; !there {
			die(1, "%s: missing field `%s`", path, key)
		}
	}
	if !it.hasMap("executors") && !new {
		die(1, "%s: missing field `executors`, or it is no map", path)
	}
	shim := "executors.shim"
	if new {
		shim = "cluster.executors.shim"
	}
	if value, there := it[shim]; there && value != "host" && value != "wasm" {
		die(1, "%s: unknown shim %q", path, value)
	}
	limit := "executors.limits.max_executors"
	if value, there := it[limit]; there && !new {
		if _, err := strconv.ParseUint(value, 10, 32); err != nil {
			die(1, "%s: %s: %v", path, limit, err)
		}
	}
	return it
}

// hasMap tells whether there is a map, which may be an empty one but not nothing.
func (it config) hasMap(key string) bool {
	for found := range it {
		if strings.HasPrefix(found, key+".") {
			return true
		}
	}
	return it[key] == "{}"
}

// parse reads maps of maps of scalars, which is all that such a file has; a map stands in the result, too, with an empty value.
func parse(text string) config {
	it := config{}
	var path []string
	var indents []int
	for number, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || strings.HasPrefix(trimmed, "#") {
			continue
		}
		indent := len(line) - len(strings.TrimLeft(line, " "))
		for len(indents) > 0 && indents[len(indents)-1] >= indent {
			path, indents = path[:len(path)-1], indents[:len(indents)-1]
		}
		key, value, found := strings.Cut(trimmed, ":")
		if !found {
			die(1, "line %d: not a map", number+1)
		}
		path, indents = append(path, key), append(indents, indent)
		value = strings.TrimSpace(value)
		if unquoted, err := strconv.Unquote(value); err == nil {
			value = unquoted
		}
		it[strings.Join(path, ".")] = value
	}
	return it
}

// divides tells whether a slot of 577 has both amounts, as it is divided by both once an executor registers.
func divides(slot string) bool {
	amounts := map[string]bool{}
	for _, part := range strings.Split(slot, ",") {
		key, value, _ := strings.Cut(part, "=")
		digits := value
		if key == "mem" || key == "memory" {
			key, digits = "mem", strings.TrimRight(value, "kmg")
		}
		number, err := strconv.ParseUint(digits, 10, 64)
		amounts[key] = err == nil && number > 0
	}
	return amounts["cpu"] && amounts["mem"]
}
