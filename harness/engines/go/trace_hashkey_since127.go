//go:build trace && go1.27

package main

import _ "unsafe"

//go:linkname hashkey internal/runtime/maps.hashkey
var hashkey [4]uintptr

func runtimeHashkey() [4]uintptr { return hashkey }
