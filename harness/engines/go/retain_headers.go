package main

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// Messages with headers as net/textproto reads them: one text behind all names and values of a message, and one array
// behind all its lists of values.
const (
	headerNames = 32
	headerText  = 128 // bytes a value
)

var headerScenarios = []retainScenario{
	{name: "header_cache", run: runHeaderCache,
		liveIs: "the one value wanted of each message", liveEach: headerText,
		variants: variantsOf(builtinMap, "shared_backing", "clone_text", "clone", "json_round_trip", "gob_round_trip")},
}

type header map[string][]string

func readHeader(message int) header {
	text := strings.Repeat(fmt.Sprintf("%0*d", headerText, message), headerNames)
	values := make([]string, headerNames)
	h := make(header, headerNames)
	for i := range values {
		values[i] = text[i*headerText : (i+1)*headerText]
		h[fmt.Sprintf("Header-%d", i)] = values[i : i+1 : i+1]
	}
	return h
}

func runHeaderCache(c *retainCase) {
	cache := hold(c, header{})
	roundTrip := c.is("json_round_trip") || c.is("gob_round_trip")
	c.start()
	c.each("fill", c.n, allKept, func(i int) {
		if roundTrip {
			cache.it[key(i)] = []string{strings.Clone(readHeader(i)["Header-7"][0])}
			return
		}
		values := readHeader(i)["Header-7"]
		if c.is("clone_text") {
			values[0] = strings.Clone(values[0])
		} else if c.is("clone") {
			values = []string{strings.Clone(values[0])}
		}
		cache.it[key(i)] = values
	})
	if roundTrip {
		returned, changed := passHeaders(c, withEmptyLists(cache.it))
		c.note("values_changed", changed)
		cache.it = returned
	}
	c.checkpoint("end", c.n, c.n)
}

// Every fourth list becomes nil and every fourth empty.
func withEmptyLists(h header) header {
	for i := range len(h) {
		switch i % 4 {
		case 1:
			h[key(i)] = nil
		case 3:
			h[key(i)] = []string{}
		}
	}
	return h
}

// Returns what comes back from an encoding, and how many lists are not as they were: another length, or nil for empty.
func passHeaders(c *retainCase, sent header) (returned header, changed int) {
	var wire bytes.Buffer
	var err error
	if c.is("json_round_trip") {
		if err = json.NewEncoder(&wire).Encode(sent); err == nil {
			err = json.NewDecoder(&wire).Decode(&returned)
		}
	} else if err = gob.NewEncoder(&wire).Encode(sent); err == nil {
		err = gob.NewDecoder(&wire).Decode(&returned)
	}
	if err != nil {
		os.Exit(refuse(1, c.scenario.name+" "+c.variant.name+": "+err.Error()))
	}
	for k, values := range sent {
		got, found := returned[k]
		if !found || len(got) != len(values) || (got == nil) != (values == nil) {
			changed++
		}
	}
	return returned, changed
}
