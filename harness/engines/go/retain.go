// Retention scenarios on the real runtime: programs that keep more alive than they need.
//
//	engine retain list                     every scenario and variant, a JSON line each
//	engine retain SCENARIO VARIANT N       runs one, and prints a JSON line at each checkpoint
//	engine retain markspeed GRAPH [N]      how fast the collector marks: retain_markspeed.go
//
// One process runs one scenario with one variant, so that nothing of another is on the heap. The catalogue is mapbench's
// (harness/retention/scenarios): it knows numbers, roles, sentences and the default N. Here a name has its function and what
// is live. SCENARIO is a name of the catalogue, or the name under which its curve was recorded.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
)

// The map that a variant is about.
type mapKind int

const (
	builtinMap mapKind = iota
	syncMap
	noMap
)

type retainVariant struct {
	name string
	kind mapKind
	weak bool // needs package weak or runtime.AddCleanup
}

func variantsOf(kind mapKind, names ...string) []retainVariant {
	variants := make([]retainVariant, len(names))
	for i, name := range names {
		variants[i] = retainVariant{name: name, kind: kind}
	}
	return variants
}

func needWeak(variants []retainVariant) []retainVariant {
	for i := range variants {
		variants[i].weak = true
	}
	return variants
}

type retainScenario struct {
	name       string
	recordedAs string // the name in the recordings where it is another
	liveIs     string // what the program still needs by meaning ...
	liveEach   int    // ... and how many bytes of it one kept entry is
	variants   []retainVariant
	run        func(c *retainCase)
}

func retainScenarios() []retainScenario {
	return slices.Concat(sliceScenarios, keyScenarios, valueScenarios, tableScenarios, rehashScenarios, iteratorScenarios,
		syncScenarios, timerScenarios, goroutineScenarios, headerScenarios, weakScenarios, cacheScenarios, churnScenarios,
		gcWorkScenarios)
}

// Exit codes as mapbench's: bad usage, cannot run here.
const (
	exitUsage      = 2
	exitCannotRun  = 4
	retainUsage    = "usage: engine retain list | engine retain SCENARIO VARIANT N"
	seeRetainNames = "; engine retain list names them"
)

func retain(words []string) int {
	all := retainScenarios()
	if len(words) == 1 && words[0] == "list" {
		listRetain(all)
		return 0
	}
	if len(words) > 0 && words[0] == "markspeed" {
		return markSpeed(words[1:])
	}
	if len(words) != 3 {
		return refuse(exitUsage, retainUsage)
	}
	s := findScenario(all, words[0])
	if s == nil {
		return refuse(exitUsage, "no scenario "+words[0]+seeRetainNames)
	}
	at := slices.IndexFunc(s.variants, func(v retainVariant) bool { return v.name == words[1] })
	if at < 0 {
		return refuse(exitUsage, "scenario "+s.name+" has no variant "+words[1]+seeRetainNames)
	}
	n, err := strconv.Atoi(words[2])
	if err != nil || n < 1 {
		return refuse(exitUsage, "N must be a whole number of at least 1, not "+words[2])
	}
	if s.variants[at].weak && weakMissing != "" {
		return refuse(exitCannotRun, s.name+" "+words[1]+": "+weakMissing)
	}
	c := newRetainCase(s, &s.variants[at], n)
	c.warmUp()
	s.run(c)
	runtime.KeepAlive(c)
	return 0
}

func refuse(status int, text string) int {
	fmt.Fprintln(os.Stderr, "engine: "+text)
	return status
}

// A name of the catalogue goes before a recorded one: "subslice" is both, of different scenarios.
func findScenario(all []retainScenario, name string) *retainScenario {
	for i := range all {
		if all[i].name == name {
			return &all[i]
		}
	}
	for i := range all {
		if all[i].recordedAs == name {
			return &all[i]
		}
	}
	return nil
}

type retainListLine struct {
	Scenario    string  `json:"scenario"`
	Variant     string  `json:"variant"`
	Map         *string `json:"map"`
	LiveIs      string  `json:"semantic_live_is"`
	RecordedAs  string  `json:"recorded_as,omitempty"`
	Available   bool    `json:"available"`
	Unavailable string  `json:"reason,omitempty"`
}

func listRetain(all []retainScenario) {
	out := json.NewEncoder(os.Stdout)
	for _, s := range all {
		for _, v := range s.variants {
			line := retainListLine{Scenario: s.name, Variant: v.name, Map: mapName(v.kind), LiveIs: s.liveIs, RecordedAs: s.recordedAs, Available: true}
			if v.weak && weakMissing != "" {
				line.Available, line.Unavailable = false, weakMissing
			}
			out.Encode(line)
		}
	}
}

// Returns mapbench's name of the built-in map of this runtime; nil: the variant has no map. A sync.Map goes under the name of the
// built-in map of its Go too, as in mapbench's catalogue: a verdict is about the variants under one name.
func mapName(kind mapKind) *string {
	if kind == noMap {
		return nil
	}
	name := map[string]string{"classic": "real_go_hmap", "swiss": "real_go_swiss"}[mapDesign]
	return &name
}
