package main

import (
	"syscall"
	"unsafe"
)

// The block: memory shared with the runner, laid out as in harness/engines/wire.h. Keys go in before a loop, results come
// out after it; a loop itself runs on copies of its own, so that it meets its keys in its own caches as a loop in the
// runner does.
const (
	blockKeys  = 65536 // most keys of a block
	blockVals  = 8192  // most entries of a chunk
	keysAt     = 0
	valsAt     = keysAt + blockKeys*16
	ofAt       = valsAt + blockVals*64
	idsAt      = ofAt + blockKeys*4
	ticksAt    = idsAt + blockKeys*4
	capsAt     = ticksAt + blockKeys*8
	textAt     = capsAt + blockKeys*8
	textBytes  = 64 << 20
	blockBytes = textAt + textBytes
)

type block struct {
	memory []byte
	stored region
	probe  []byte // texts of the last keys that are only looked for
}

// Where the texts of stored string keys live: a mirror of the runner's own text memory, outside the Go heap, so that the
// distances between texts, and what the collector sees of them, are those of the C maps.
type region struct {
	base   uint64 // in the runner
	memory []byte
}

func mapShared(fd int) (*block, error) {
	memory, err := syscall.Mmap(fd, 0, blockBytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	return &block{memory: memory}, err
}

// Makes the mirror of `bytes` bytes at `base` of the runner; 0 bytes: none.
func (b *block) mirror(base, bytes uint64) error {
	if b.stored.memory != nil {
		syscall.Munmap(b.stored.memory)
	}
	b.stored = region{}
	if bytes == 0 {
		return nil
	}
	memory, err := syscall.Mmap(-1, 0, int(bytes), syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_NORESERVE)
	b.stored = region{base, memory}
	return err
}

func view[T any](b *block, at, count int) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(&b.memory[at])), count)
}

// Which keys of a block a map will keep.
type storing int

const (
	storesNone storing = iota
	storesAll
	storesOdd // churn: victim, newcomer, victim ...
)

func (s storing) keeps(i int) bool { return s == storesAll || s == storesOdd && i%2 == 1 }

type wireText struct{ address, length uint64 }

func takeKeys[K any](b *block, room []K, n int, stored storing) []K {
	room = room[:n] // made for blockKeys at the start: never part of what a map is seen to take
	if texts, ok := any(room).([]string); ok {
		b.takeTexts(texts, stored)
		return room
	}
	copy(room, view[K](b, keysAt, n))
	return room
}

func (b *block) takeTexts(keys []string, stored storing) {
	wire := view[wireText](b, keysAt, len(keys))
	var total uint64
	for i := range wire {
		total += wire[i].length
	}
	if uint64(cap(b.probe)) < total {
		b.probe = make([]byte, total, 2*total)
	}
	text, probe := b.memory[textAt:], b.probe[:0]
	for i := range keys {
		bytes := text[:wire[i].length]
		text = text[wire[i].length:]
		if stored.keeps(i) {
			keys[i] = b.stored.keep(wire[i].address, bytes)
			continue
		}
		start := len(probe)
		probe = append(probe, bytes...)
		keys[i] = unsafe.String(unsafe.SliceData(probe[start:]), len(bytes))
	}
}

// The text at its mirrored address; a text from elsewhere becomes an ordinary Go string.
func (r *region) keep(address uint64, bytes []byte) string {
	at := address - r.base
	if r.memory == nil || at >= uint64(len(r.memory)) || uint64(len(bytes)) > uint64(len(r.memory))-at {
		return string(bytes)
	}
	to := r.memory[at : at+uint64(len(bytes))]
	copy(to, bytes)
	return unsafe.String(unsafe.SliceData(to), len(to))
}

func giveKeys[K any](b *block, keys []K) {
	texts, ok := any(keys).([]string)
	if !ok {
		copy(view[K](b, keysAt, len(keys)), keys)
		return
	}
	wire := view[wireText](b, keysAt, len(keys))
	at := uint64(0)
	for i, text := range texts {
		wire[i] = wireText{at, uint64(len(text))}
		at += uint64(copy(b.memory[textAt+at:], text))
	}
}

func giveVals[V any](b *block, vals []V) { copy(view[V](b, valsAt, len(vals)), vals) }
func takeVal[V any](b *block) V          { return view[V](b, valsAt, 1)[0] }
