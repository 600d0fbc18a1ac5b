// How fast the runtime marks: tests/bench_gosim.c builds the same objects on its own heap and compares.
package main

import (
	"encoding/json"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
)

const (
	markSpeedUsage  = "usage: engine retain markspeed list|tree [OBJECTS]"
	markSpeedN      = 10_000_000
	markSpeedRounds = 5
)

// 24 bytes, two of its words pointers.
type markNode struct {
	next, other *markNode
	value       uint64
}

type markSpeedLine struct {
	Graph   string  `json:"graph"`
	N       int     `json:"n"`
	Engine  string  `json:"engine"`
	Procs   int     `json:"procs"`
	BestMs  float64 `json:"best_ms"`
	CPUMs   float64 `json:"cpu_ms"`
	Objects uint64  `json:"heap_objects"`
}

// Prints the quickest of a few collections that find n linked objects alive: its time on the wall, and the CPU time of
// all threads in it. GOMAXPROCS says how many mark.
func markSpeed(words []string) int {
	n := markSpeedN
	if len(words) < 1 || len(words) > 2 || (words[0] != "list" && words[0] != "tree") {
		return refuse(exitUsage, markSpeedUsage)
	}
	if len(words) == 2 {
		var err error
		if n, err = strconv.Atoi(words[1]); err != nil || n < 1 {
			return refuse(exitUsage, "OBJECTS must be a whole number of at least 1, not "+words[1])
		}
	}
	debug.SetGCPercent(-1)
	graph := markList
	if words[0] == "tree" {
		graph = markTree
	}
	root := graph(n)
	runtime.GC() // sweeps away what building left
	line := markSpeedLine{Graph: words[0], N: n, Engine: runtime.Version(), Procs: runtime.GOMAXPROCS(0)}
	for round := range markSpeedRounds {
		wall, cpu := wallNs(), readClock(clockProcessCPU)
		runtime.GC()
		wallMs, cpuMs := float64(wallNs()-wall)/1e6, float64(readClock(clockProcessCPU)-cpu)/1e6
		if round == 0 || wallMs < line.BestMs {
			line.BestMs, line.CPUMs = wallMs, cpuMs
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	line.Objects = m.HeapObjects
	runtime.KeepAlive(root)
	json.NewEncoder(os.Stdout).Encode(line)
	return 0
}

func markList(n int) *markNode {
	first := &markNode{}
	for last := first; n > 1; n-- {
		last.next = &markNode{value: uint64(n)}
		last = last.next
	}
	return first
}

// A complete binary tree, its nodes allocated level by level.
func markTree(n int) *markNode {
	all := make([]*markNode, n)
	for i := range all {
		all[i] = &markNode{value: uint64(i)}
	}
	for i, node := range all {
		if 2*i+1 < n {
			node.next = all[2*i+1]
		}
		if 2*i+2 < n {
			node.other = all[2*i+2]
		}
	}
	return all[0]
}
