package main

import (
	"encoding/json"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// A scenario with a variant, under way.
type retainCase struct {
	scenario *retainScenario
	variant  *retainVariant
	n        int
	liveEach int // bytes; the scenario's, unless its run says otherwise
	mapName  *string
	engine   string
	base     heapNumbers
	hasBase  bool
	extra    map[string]any
	roots    []any
	out      *json.Encoder
}

type heapNumbers struct {
	alloc, objects, inuse, total, mallocs, stacks uint64
	collections                                   uint32
}

type retainLine struct {
	Scenario      string         `json:"scenario"`
	Variant       string         `json:"variant"`
	Map           *string        `json:"map"`
	Heap          string         `json:"heap"`
	Engine        string         `json:"engine"`
	N             int            `json:"n"`
	Step          int            `json:"step"`
	Label         string         `json:"label"`
	Live          uint64         `json:"semantic_live_bytes"`
	HeapAlloc     uint64         `json:"heap_alloc"`
	HeapObjects   uint64         `json:"heap_objects"`
	DHeapAlloc    int64          `json:"d_heap_alloc"`
	DHeapObjects  int64          `json:"d_heap_objects"`
	Resident      *uint64        `json:"rss"`
	Amplification *float64       `json:"amplification"`
	HeapInuse     uint64         `json:"heap_inuse"`
	TotalAlloc    uint64         `json:"total_alloc"`
	Mallocs       uint64         `json:"mallocs"`
	DTotalAlloc   uint64         `json:"d_total_alloc"`
	DMallocs      uint64         `json:"d_mallocs"`
	StackInuse    uint64         `json:"stack_inuse"`
	NumGC         uint32         `json:"num_gc"`
	Goroutines    int            `json:"goroutines"`
	Forced        bool           `json:"after_forced_gc"`
	RecordedAs    string         `json:"recorded_as,omitempty"`
	Extra         map[string]any `json:"extra"`
}

func newRetainCase(s *retainScenario, v *retainVariant, n int) *retainCase {
	return &retainCase{scenario: s, variant: v, n: n, liveEach: s.liveEach, mapName: mapName(v.kind),
		engine: strings.Fields(runtime.Version())[0], out: json.NewEncoder(os.Stdout),
		roots: make([]any, 0, 8)}
}

// Takes checkpoints that are not printed: what the first ones allocate for good (the encoder's knowledge of the types, the
// collector's workers) must not come after the base.
func (c *retainCase) warmUp() {
	c.out = json.NewEncoder(io.Discard)
	for i := range 4 {
		c.note("whole", i)
		c.note("fraction", 1.5)
		c.checkpoint("base", 0, 1)
	}
	c.out = json.NewEncoder(os.Stdout)
	c.hasBase = false
}

func (c *retainCase) is(variant string) bool { return c.variant.name == variant }

// A number of its own for the next checkpoint.
func (c *retainCase) note(name string, value any) {
	if c.extra == nil {
		c.extra = map[string]any{}
	}
	c.extra[name] = value
}

// The one rule for what is live by meaning: entries the program can still ask for, each as many bytes as the scenario
// says its content is. Keys, slots, headers and tables count only where the scenario says they are the content.
func (c *retainCase) live(kept int) uint64 { return uint64(kept) * uint64(c.liveEach) }

// The checkpoint that d_heap_alloc and d_heap_objects are measured from.
func (c *retainCase) start() { c.checkpoint("base", 0, 0) }

// A line after two collections: what a finalizer or a sync.Pool holds goes with the second. kept: entries that the
// program still needs. step: elementary operations done in this phase.
func (c *retainCase) checkpoint(label string, step, kept int) {
	runtime.GC()
	runtime.GC()
	c.record(label, step, kept, true)
}

// A line without collecting first.
func (c *retainCase) checkpointRaw(label string, step, kept int) { c.record(label, step, kept, false) }

func (c *retainCase) record(label string, step, kept int, forced bool) {
	now := readHeap()
	if !c.hasBase {
		c.base, c.hasBase = now, true
	}
	line := retainLine{Scenario: c.scenario.name, Variant: c.variant.name, Map: c.mapName,
		Heap: "go_gc", Engine: c.engine, N: c.n, Step: step, Label: label, Live: c.live(kept),
		HeapAlloc: now.alloc, HeapObjects: now.objects,
		DHeapAlloc: int64(now.alloc - c.base.alloc), DHeapObjects: int64(now.objects - c.base.objects),
		Resident: residentBytes(), HeapInuse: now.inuse, TotalAlloc: now.total, Mallocs: now.mallocs,
		DTotalAlloc: now.total - c.base.total, DMallocs: now.mallocs - c.base.mallocs, StackInuse: now.stacks,
		NumGC: now.collections, Goroutines: runtime.NumGoroutine(), Forced: forced,
		RecordedAs: c.scenario.recordedAs, Extra: c.extra}
	if line.Extra == nil {
		line.Extra = map[string]any{}
	}
	if line.Live > 0 {
		ratio := float64(line.DHeapAlloc) / float64(line.Live)
		line.Amplification = &ratio
	}
	if err := c.out.Encode(&line); err != nil {
		os.Exit(refuse(1, "cannot write a line: "+err.Error()))
	}
	c.extra = nil
}

func readHeap() heapNumbers {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return heapNumbers{m.HeapAlloc, m.HeapObjects, m.HeapInuse, m.TotalAlloc, m.Mallocs, m.StackInuse, m.NumGC}
}

// Bytes of this process in memory; nil where there is no /proc. No os.File: its finalizer would be on the heap that is
// measured.
func residentBytes() *uint64 {
	fd, err := syscall.Open("/proc/self/statm", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer syscall.Close(fd)
	var text [128]byte
	n, err := syscall.Read(fd, text[:])
	if err != nil {
		return nil
	}
	words := strings.Fields(string(text[:n]))
	if len(words) < 2 {
		return nil
	}
	pages, err := strconv.ParseUint(words[1], 10, 64)
	if err != nil {
		return nil
	}
	bytes := pages * uint64(os.Getpagesize())
	return &bytes
}

// Does f for 0..n-1 with a checkpoint after every eighth of them. kept: entries needed when so many are done.
func (c *retainCase) each(label string, n int, kept func(done int) int, f func(i int)) {
	eighth := max(n/8, 1)
	for i := range n {
		f(i)
		if (i+1)%eighth == 0 {
			c.checkpoint(label, i+1, kept(i+1))
		}
	}
}

func allKept(done int) int  { return done }
func noneKept(done int) int { return 0 }

func lastKept(most int) func(done int) int {
	return func(done int) int { return min(done, most) }
}

// A place on the heap that stands for a global variable: there until the case ends, whatever the compiler knows of its use.
type held[T any] struct{ it T }

func hold[T any](c *retainCase, it T) *held[T] {
	h := &held[T]{it}
	c.keep(h)
	return h
}

func (c *retainCase) keep(pointer any) { c.roots = append(c.roots, pointer) }

// Text of 16 bytes in a block of its own.
func key(i int) string {
	text := []byte("key-000000000000")
	for at := len(text) - 1; i > 0; at-- {
		text[at] += byte(i % 10)
		i /= 10
	}
	return string(text)
}

// 1032 bytes, in a block of 1152.
type user struct {
	id   int
	data [1024]byte
}

type payload struct{ data [64 << 10]byte }

type pair struct{ a, b int }

type cacheItem struct {
	data   []byte
	config map[string]string
	log    chan string
}
