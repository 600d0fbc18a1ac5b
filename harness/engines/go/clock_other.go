//go:build !amd64 && !arm64

package main

func ticksStart() uint64 { return wallNs() }
func ticksStop() uint64  { return wallNs() }
