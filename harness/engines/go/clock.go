package main

import (
	"syscall"
	"unsafe"
)

// Clock numbers and the scope of getrusage, as in <time.h> and <sys/resource.h> of Linux.
const (
	clockMonotonic  = 1
	clockProcessCPU = 2
	clockThreadCPU  = 3
	rusageThread    = 1
)

func readClock(id uintptr) uint64 {
	var t syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, id, uintptr(unsafe.Pointer(&t)), 0)
	return uint64(t.Sec)*1e9 + uint64(t.Nsec)
}

func wallNs() uint64 { return readClock(clockMonotonic) }

// Times the kernel has taken the CPU away from this thread.
func preemptions() int64 {
	var usage syscall.Rusage
	syscall.Getrusage(rusageThread, &usage)
	return usage.Nivcsw
}

// What one measured loop took, on every clock the suite uses.
type segment struct {
	cpuNs, ticks, wallNs uint64
	preempted            bool
}

// The CPU clock is that of the thread, as for the C maps. With the collector on it is that of the process, so that
// the marking which a loop causes on other threads is part of its cost.
func clocked(cpuClock uintptr, loop func() uint64) (uint64, segment) {
	before := preemptions()
	wall := wallNs()
	cpu := readClock(cpuClock)
	start := ticksStart()
	checksum := loop()
	stop := ticksStop()
	s := segment{cpuNs: readClock(cpuClock) - cpu, ticks: stop - start, wallNs: wallNs() - wall}
	s.preempted = preemptions() != before
	return checksum, s
}
