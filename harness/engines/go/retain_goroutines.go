package main

import (
	"runtime"
	"sync/atomic"
	"time"
)

var goroutineScenarios = []retainScenario{
	{name: "blocked_consumer", recordedAs: "goroutine_chan", run: runBlockedConsumer,
		liveIs: "nothing of a deleted item", liveEach: 0,
		variants: variantsOf(builtinMap, "leaky", "close")},
}

func runBlockedConsumer(c *retainCase) {
	const yieldEvery = 64
	items := hold(c, map[string]cacheItem{})
	c.start()
	before := runtime.NumGoroutine()
	c.each("fill", c.n, noneKept, func(i int) {
		item := cacheItem{data: make([]byte, 1024), log: make(chan string, 1)}
		k := key(i)
		items.it[k] = item
		go consume(item.log)
		if c.is("close") {
			close(item.log)
		}
		delete(items.it, k)
		if i%yieldEvery == 0 {
			runtime.Gosched()
		}
	})
	for consuming.Load() < int64(c.n) || c.is("close") && runtime.NumGoroutine() > before {
		time.Sleep(time.Millisecond)
	}
	c.note("stack_bytes", stackBytes())
	c.checkpoint("end", c.n, 0)
}

var consuming atomic.Int64 // goroutines that have begun

func consume(lines chan string) {
	consuming.Add(1)
	for range lines {
	}
}

func stackBytes() uint64 { return readHeap().stacks }
