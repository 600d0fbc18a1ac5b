// The real-Go engine: runs mapbench's measured loops on the maps of the Go runtime it was built with.
//
//	engine COMMAND_FD BLOCK_FD map|sync SHAPE off|on
//	engine retain ...                                       retention scenarios: retain.go
//	engine trace                                            structural traces of its map: trace.go
//
// The runner (harness/engines/engine.c) writes one command a line to COMMAND_FD and reads one answer a line from stdout: "ok" and
// numbers, or "error" and a text. Keys are not generated here: the runner hands over its own, in the shared memory
// BLOCK_FD, so they are the same bytes for every map. The last word is the collector: off, it runs only between
// measured loops, on command; on, it runs as in any Go program.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
)

const protocol = 1

type engine struct {
	block    *block
	unit     unit
	cpuClock uintptr
	gcOn     bool
	floor    uint64 // TotalAlloc at the last collection between loops
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "retain" {
		os.Exit(retain(os.Args[2:]))
	}
	if len(os.Args) == 2 && os.Args[1] == "trace" {
		os.Exit(trace())
	}
	if len(os.Args) != 6 {
		fmt.Fprintln(os.Stderr, "usage: engine COMMAND_FD BLOCK_FD map|sync SHAPE off|on; it is started by mapbench")
		os.Exit(2)
	}
	runtime.LockOSThread() // the CPU clock is that of this thread
	e := engine{cpuClock: clockThreadCPU}
	if os.Args[5] == "on" {
		e.gcOn, e.cpuClock = true, clockProcessCPU
	} else {
		debug.SetGCPercent(-1)
	}
	commands, _ := strconv.Atoi(os.Args[1])
	shared, _ := strconv.Atoi(os.Args[2])
	var err error
	if e.block, err = mapShared(shared); err != nil {
		answer("error cannot map the block: " + err.Error())
		os.Exit(1)
	}
	make := units[unitName{os.Args[3], os.Args[4]}]
	if make == nil {
		answer("error no maps of kind " + os.Args[3] + " with shape " + os.Args[4])
		os.Exit(1)
	}
	e.unit = make()
	answer(fmt.Sprintf("mapbench-engine %d %s %s %s", protocol, strings.Fields(runtime.Version())[0], mapDesign, syncDesign))
	input := lines{fd: commands}
	for {
		line, ok := input.next()
		if !ok {
			return
		}
		answer(e.do(strings.Fields(line)))
	}
}

func answer(text string) {
	bytes := []byte(text + "\n")
	for len(bytes) > 0 {
		n, err := syscall.Write(1, bytes)
		if err != nil && err != syscall.EINTR {
			os.Exit(1)
		}
		if n > 0 {
			bytes = bytes[n:]
		}
	}
}

// Lines of a descriptor, without the runtime's poller in between.
type lines struct {
	fd     int
	buffer []byte
}

func (l *lines) next() (string, bool) {
	var chunk [4096]byte
	for {
		for i, c := range l.buffer {
			if c == '\n' {
				line := string(l.buffer[:i])
				l.buffer = l.buffer[i+1:]
				return line, true
			}
		}
		n, err := syscall.Read(l.fd, chunk[:])
		if err == syscall.EINTR {
			continue
		}
		if n <= 0 {
			return "", false
		}
		l.buffer = append(l.buffer, chunk[:n]...)
	}
}

// Numbers of a command, taken one by one; a missing one is an error.
type numbers struct {
	words []string
	bad   bool
}

func (n *numbers) next() uint64 {
	if len(n.words) == 0 {
		n.bad = true
		return 0
	}
	value, err := strconv.ParseUint(n.words[0], 0, 64)
	n.bad = n.bad || err != nil
	n.words = n.words[1:]
	return value
}

func (e *engine) do(words []string) string {
	if len(words) == 0 {
		return "error empty command"
	}
	n := numbers{words: words[1:]}
	text := ""
	switch words[0] {
	case "create": // HINT
		text = ok(uint64(e.unit.create(int(n.next()))))
	case "drop": // MAP
		e.unit.drop(uint32(n.next()))
		e.collectGarbage()
		text = ok()
	case "len": // MAP
		text = ok(uint64(e.unit.length(uint32(n.next()))))
	case "capacity": // MAP
		text = ok(e.unit.capacity(uint32(n.next())))
	case "get": // MAP; the key is the block's first
		id := uint32(n.next())
		e.unit.take(e.block, 1, storesNone)
		text = ok(truth(e.unit.get(id, e.block)))
	case "put": // MAP; key and value are the block's first
		id := uint32(n.next())
		e.unit.take(e.block, 1, storesAll)
		e.unit.put(id, e.block)
		text = ok()
	case "collect": // MAP
		text = ok(uint64(e.unit.collect(uint32(n.next()))))
	case "chunk": // FROM COUNT
		from, count := int(n.next()), int(n.next())
		e.unit.chunk(e.block, from, count)
		text = ok()
	case "mirror": // BASE BYTES
		base, bytes := n.next(), n.next()
		if err := e.block.mirror(base, bytes); err != nil {
			return "error no memory for the texts of string keys: " + err.Error()
		}
		text = ok()
	case "memory": // FORCED: 1 collects first
		text = e.memory(n.next() != 0)
	case "run": // LOOP MAP KEYS STORING N FIRST ZERO
		if len(words) < 2 {
			return "error run needs a loop"
		}
		n.words = words[2:]
		text = e.run(words[1], &n)
	default:
		return "error unknown command " + words[0]
	}
	if n.bad {
		return "error missing or wrong number in: " + strings.Join(words, " ")
	}
	return text
}

func truth(yes bool) uint64 {
	if yes {
		return 1
	}
	return 0
}

func ok(values ...uint64) string {
	text := []byte("ok")
	for _, v := range values {
		text = append(text, ' ')
		text = strconv.AppendUint(text, v, 10)
	}
	return string(text)
}

func (e *engine) run(loop string, n *numbers) string {
	id := uint32(n.next())
	a := loopArgs{keys: int(n.next())}
	stored := storing(n.next())
	a.n, a.first, a.zero = int(n.next()), n.next(), n.next()
	if n.bad || a.keys > blockKeys || a.n < 0 {
		return "error wrong numbers for run " + loop
	}
	e.unit.take(e.block, a.keys, stored)
	if loop == "clear" {
		a.ids = append(a.ids, view[uint32](e.block, idsAt, min(a.n, blockKeys))...)
	}
	if loop == "small_put" || loop == "small_get" {
		a.of = append(a.of, view[uint32](e.block, ofAt, min(a.n, blockKeys))...)
	}
	a.ticks = view[uint64](e.block, ticksAt, blockKeys)
	a.caps = view[uint64](e.block, capsAt, blockKeys)
	body := e.unit.run(loop, id, &a)
	if body == nil {
		return "error no loop " + loop
	}
	checksum, s := clocked(e.cpuClock, body)
	if a.done != nil {
		a.done()
		copy(view[uint32](e.block, idsAt, blockKeys), a.made)
	}
	return ok(checksum, s.cpuNs, s.ticks, s.wallNs, truth(s.preempted))
}

// With the collector off, dropped maps are collected here, outside the measured loops, as often as the runtime would at
// the least: after 4 MiB of allocation, or as much as is live (GOGC=100, runtime/mgcpacer.go).
func (e *engine) collectGarbage() {
	const least = 4 << 20
	if e.gcOn {
		return
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.TotalAlloc-e.floor < max(least, m.HeapAlloc/2) {
		return
	}
	runtime.GC()
	e.floor = m.TotalAlloc
}

// HeapAlloc, HeapObjects, TotalAlloc, Mallocs, HeapSys less HeapReleased, Sys, NumGC.
func (e *engine) memory(forced bool) string {
	if forced {
		runtime.GC()
		runtime.GC() // finalizers and sync.Pool need two
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return ok(m.HeapAlloc, m.HeapObjects, m.TotalAlloc, m.Mallocs, m.HeapSys-m.HeapReleased, m.Sys, uint64(m.NumGC))
}
