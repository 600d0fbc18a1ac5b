//go:build trace

// Structural traces of the runtime's own map: what `mapbench trace` prints of a port, printed of the original.
//
//	engine trace
//
// The first line of the output is "hashkey A,B,C,D VERSION DESIGN": the hash key of this process, which the port is to be
// given (--hashkey). Then each line "ASSIGN|SEED|FORM|SCRIPT" of the input is answered by the trace and a line with a dot. ASSIGN
// is fast, pointer or generic, FORM rows or digest, SEED and SCRIPT as for the command (harness/goports/trace.c).
//
// Seeds are written into the map's header while it is empty; the key is left alone, as maps of the runtime itself hang on
// it. A map that becomes empty draws a new seed that nobody knows: a script has to set it again.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// The memhash fallback, which the ports have, in place of AES; and numbers as pointers, which no collector may doubt.
const traceDebug = "cpu.aes=off,invalidptr=0"

func trace() int {
	if os.Getenv("GODEBUG") != traceDebug {
		os.Setenv("GODEBUG", traceDebug)
		err := syscall.Exec("/proc/self/exe", os.Args, os.Environ())
		fmt.Fprintln(os.Stderr, "engine trace: cannot start again with GODEBUG="+traceDebug+":", err)
		return 1
	}
	debug.SetGCPercent(-1) // pointers that are numbers: collected is only between scripts
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	key := runtimeHashkey()
	fmt.Fprintf(out, "hashkey %x,%x,%x,%x %s %s\n", key[0], key[1], key[2], key[3], strings.Fields(runtime.Version())[0], mapDesign)
	out.Flush()
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<20)
	for input.Scan() {
		if err := traceScript(out, input.Text()); err != nil {
			out.Flush()
			fmt.Fprintf(os.Stderr, "engine trace: %s: %v\n", input.Text(), err)
			return 2
		}
		fmt.Fprintln(out, ".")
		out.Flush()
		runtime.GC()
	}
	return 0
}

// A map whose keys are numbers, whatever their type.
type tracedMap interface {
	make(hint int)
	insert(key uint64) // with the value 3*key
	remove(key uint64)
	get(key uint64) (uint64, bool)
	clear()
	clone()
	header() unsafe.Pointer
	count() int
	digest() string
}

type traced[K comparable, V any] struct {
	m    map[K]V
	key  func(uint64) K
	val  func(uint64) V
	word func(*V) uint64
}

func (t *traced[K, V]) make(hint int)          { t.m = make(map[K]V, hint) }
func (t *traced[K, V]) remove(key uint64)      { delete(t.m, t.key(key)) }
func (t *traced[K, V]) clear()                 { clear(t.m) }
func (t *traced[K, V]) clone()                 { t.m = cloneMap(t.m) }
func (t *traced[K, V]) header() unsafe.Pointer { return address(&t.m) }
func (t *traced[K, V]) count() int             { return len(t.m) }

// In one step, as a program would: the value is not stored through a variable.
func (t *traced[K, V]) insert(key uint64) { t.m[t.key(key)] = t.val(3 * key) }

func (t *traced[K, V]) get(key uint64) (uint64, bool) {
	val, there := t.m[t.key(key)]
	return t.word(&val), there
}

func numberKey(n uint64) uint64          { return n }
func pointerKey(n uint64) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&n)) }
func numberVal(n uint64) uint64          { return n }
func numberWord(n *uint64) uint64        { return *n }
func largeVal(n uint64) [17]uint64       { return [17]uint64{n} }
func largeWord(n *[17]uint64) uint64     { return n[0] }

// The assignments, as the compiler takes them (cmd/compile/internal/walk/walk.go: mapfast). A value above 128 bytes, which
// is stored apart, makes an assignment generic for every key.
func newTraced(assign string) tracedMap {
	switch assign {
	case "fast":
		return &traced[uint64, uint64]{key: numberKey, val: numberVal, word: numberWord}
	case "pointer":
		return &traced[unsafe.Pointer, uint64]{key: pointerKey, val: numberVal, word: numberWord}
	case "generic":
		return &traced[uint64, [17]uint64]{key: numberKey, val: largeVal, word: largeWord}
	}
	return nil
}

type tracer struct {
	m    tracedMap
	out  *bufio.Writer
	seed uint64
	rows bool
	ops  uint64
}

func traceScript(out *bufio.Writer, line string) error {
	parts := strings.SplitN(line, "|", 4)
	if len(parts) != 4 {
		return fmt.Errorf("not of the form ASSIGN|SEED|FORM|SCRIPT")
	}
	t := tracer{m: newTraced(parts[0]), out: out, rows: parts[2] == "rows"}
	if t.m == nil || (!t.rows && parts[2] != "digest") {
		return fmt.Errorf("no assignment %s or no form %s", parts[0], parts[2])
	}
	var err error
	if t.seed, err = strconv.ParseUint(parts[1], 0, 64); err != nil {
		return err
	}
	if t.rows {
		fmt.Fprintln(out, rowHeader)
	}
	t.create(0)
	for _, text := range strings.Split(parts[3], ";") {
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		if err := t.word(words); err != nil {
			return fmt.Errorf("'%s': %w", text, err)
		}
		if !t.rows {
			fmt.Fprintln(out, t.m.digest())
		}
	}
	return nil
}

func (t *tracer) create(hint int) {
	t.m.make(hint)
	setSeed(t.m.header(), t.seed)
}

func (t *tracer) done(op byte, key uint64) {
	if t.rows {
		t.printRow(op, key)
	}
	t.ops++
}

func (t *tracer) insert(key uint64) {
	t.m.insert(key)
	t.done('I', key)
}

func (t *tracer) remove(key uint64) {
	t.m.remove(key)
	t.done('D', key)
}

func (t *tracer) get(key uint64) error {
	val, there := t.m.get(key)
	if there && val != 3*key {
		return fmt.Errorf("%d has the value %d", key, val)
	}
	t.done('G', key)
	return nil
}

// Two numbers: "A..B" or "A B"; one number: "A".
func operands(words []string, count int) (n [2]uint64, err error) {
	if count == 2 && len(words) == 1 {
		words = strings.Split(words[0], "..")
	}
	if len(words) != count {
		return n, fmt.Errorf("%d numbers expected", count)
	}
	for i, word := range words {
		if n[i], err = strconv.ParseUint(word, 0, 64); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (t *tracer) word(words []string) error {
	count, known := map[string]int{"make": 1, "insert": 2, "delete": 2, "get": 2, "slide": 2, "clear": 0, "clone": 0, "seed": 1}[words[0]]
	if !known {
		return fmt.Errorf("no such word")
	}
	n, err := operands(words[1:], count)
	if err != nil {
		return err
	}
	switch words[0] {
	case "make":
		t.create(int(n[0]))
	case "insert":
		for key := n[0]; key <= n[1]; key++ {
			t.insert(key)
		}
	case "delete":
		for key := n[0]; key <= n[1]; key++ {
			t.remove(key)
		}
	case "get":
		for key := n[0]; key <= n[1]; key++ {
			if err := t.get(key); err != nil {
				return err
			}
		}
	case "slide":
		for j := uint64(0); j < n[1]; j++ {
			t.remove(j)
			t.insert(n[0] + j)
		}
	case "clear":
		t.m.clear()
		t.done('C', 0)
	case "clone":
		t.m.clone()
		t.ops++
	case "seed":
		if t.m.count() > 0 {
			return fmt.Errorf("the map holds entries")
		}
		setSeed(t.m.header(), n[0])
	}
	return nil
}

const fnvStart = 0xcbf29ce484222325

func fnvByte(sum uint64, b byte) uint64 { return (sum ^ uint64(b)) * 0x100000001b3 }

func fnvWord(sum, word uint64) uint64 {
	for i := 0; i < 64; i += 8 {
		sum = fnvByte(sum, byte(word>>i))
	}
	return sum
}
