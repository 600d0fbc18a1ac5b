//go:build !trace

package main

import (
	"fmt"
	"os"
	"runtime"
)

// A runtime whose internals are not where those of the known releases are (build.sh).
func trace() int {
	fmt.Fprintln(os.Stderr, "engine trace: the maps of", runtime.Version(), "cannot be looked into")
	return 4
}
