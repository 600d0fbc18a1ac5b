//go:build amd64 || arm64

package main

func ticksStart() uint64
func ticksStop() uint64
